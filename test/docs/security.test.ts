import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const rows = [...read('docs/security.md').matchAll(/^\| (.+?) \| .+ \| ([\w/-]+): “(.+)” \|$/gm)].map(
  ([, threat = '', file = '', name = '']) => ({ threat, file, name }),
);

test('every threat of docs/security.md names a test that is there', () => {
  expect(rows.length).toBeGreaterThan(30);
  const missing = rows.filter(({ file, name }) => {
    const text = read(`test/${file}.test.ts`);
    return ![`'${name}'`, `"${name}"`, `\`${name}\``, `'${name.replaceAll("'", "\\'")}'`].some((quoted) => text.includes(quoted));
  });
  expect(missing).toEqual([]);
});

test('no threat is named twice', () => {
  expect(new Set(rows.map(({ threat }) => threat)).size).toBe(rows.length);
});
