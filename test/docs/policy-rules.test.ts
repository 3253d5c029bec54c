import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RULE_TITLES } from '../../src/domain/policy/lint/rules.ts';

const PAGE = readFileSync(new URL('../../docs/policy-rules.md', import.meta.url), 'utf8');

it('every rule of the check has its place on the page, with what happens, the fix and the source', () => {
  const sections = new Map(
    PAGE.split(/^## /m)
      .slice(1)
      .map((section) => [section.split('\n')[0] ?? '', section]),
  );
  expect([...sections.keys()]).toEqual(RULE_TITLES.map(({ id }) => id));
  for (const { id, severity, title } of RULE_TITLES) {
    expect(sections.get(id)).toContain(`${severity}: ${title}.`);
    for (const part of ['- What happens: ', '- Fix: ', '- Source: ']) expect(sections.get(id), id).toContain(part);
  }
});
