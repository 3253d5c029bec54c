import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AREAS, VERBS } from '../../src/domain/commands/verbs.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

it("the README's table has every command", () => {
  const table = README.match(/^\| command \| does \|\n(?:\|.*\n)+/m)?.[0] ?? '';
  const typed = VERBS.map(({ name }) => (AREAS.some((area) => name.startsWith(`${area} `)) ? `/${name}` : `/mesh ${name}`));
  expect(typed.filter((command) => !table.includes(`\`${command}`))).toEqual([]);
});

it('its first screen shows one use before anything else', () => {
  const screen = README.split('\n').slice(0, 12).join('\n');
  expect(screen).toContain('/mesh canary backend 10%');
});
