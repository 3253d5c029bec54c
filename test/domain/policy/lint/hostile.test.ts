// Files that are made to cost time: each is read or refused in a time that grows with its length, not with its square.
import { expect, test } from 'vitest';
import { lintText } from '../../../../src/documents/lint.ts';
import { readCandidate } from '../../../../src/reading/policy/sources/read-candidate.ts';

const HEAD =
  'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: backend}\nspec:\n  endpointSelector: {}\n';
const LARGEST = 255 * 1024;

function filled(head: string, line: (index: number) => string, bytes = LARGEST, tail = ''): string {
  let text = head;
  for (let index = 0; text.length + 120 < bytes; index += 1) text += line(index);
  return text + tail;
}

const FILES: readonly (readonly [string, string])[] = [
  ['keys of one mapping', filled(HEAD, (n) => `  k${n}: 1\n`)],
  ['keys of one flow mapping', filled(`${HEAD}  x: {`, (n) => `a${n}: 1, `, LARGEST, '}\n')],
  ['annotations', filled(`${HEAD.replace('spec:', 'x:')}  annotations:\n`, (n) => `    policy.cilium.io/priority${n}: "1"\n`)],
  ['documents', filled('', () => '---\na: 1\n')],
  ['brackets', '['.repeat(LARGEST)],
  ['mappings in mappings', filled(`${HEAD}  x: `, () => '{a: ')],
  ['dashes', filled('', () => '- ')],
  ['colons', filled('', () => 'a: ')],
  ['rules with unknown fields', filled(`${HEAD}  ingress:\n`, (n) => `    - {foo${n}: 1}\n`, 90 * 1024)],
  [
    'rules that widen each other',
    filled(
      `${HEAD}  ingress:\n`,
      (n) => `    - toPorts: [{ports: [{port: "${(n % 9_000) + 1}"}]${n % 2 ? ', rules: {http: [{}]}' : ''}}]\n`,
      90 * 1024,
    ),
  ],
  [
    'addresses without a prefix',
    filled(`${HEAD}  ingress:\n    - fromCIDR:\n`, (n) => `        - 10.${n % 250}.${(n >> 8) % 250}.1\n`, 90 * 1024),
  ],
];

// The processor's time, since a busy machine is slow and not quadratic: on the old code the first of these took 36 s, and now milliseconds.
test.each(FILES)('%s', (_what, text) => {
  const began = process.cpuUsage();
  readCandidate(text, 'a file', 'backend');
  const { findings } = lintText(text);
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1e6).toBeLessThan(8);
  expect(findings.length).toBeLessThanOrEqual(2_001);
});

test('more findings than are shown are counted, and errors come before notes', () => {
  const [, text = ''] = FILES.find(([name]) => name === 'addresses without a prefix') ?? [];
  const { findings } = lintText(text);
  expect(findings.find(({ rule }) => rule === 'too-large')?.happens).toMatch(/^There are \d+ more findings in this document\.$/);
});
