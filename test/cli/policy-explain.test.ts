import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { EXIT } from '../../src/cli/outcomes.ts';
import { policyExplain } from '../../src/cli/policy-explain.ts';

const at = (name: string): string => new URL(`../cases/policy/dry/${name}`, import.meta.url).pathname;

async function explain(flows: string, inForce: string, input = ''): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const options = { flows, inForce: [inForce], stdin: Readable.from([Buffer.from(input)]), signal: AbortSignal.timeout(20_000) };
  const code = await policyExplain({ ...options, print: (line) => lines.push(line) });
  return { code, out: lines.join('\n') };
}

it('names the rule that decides each kind of connection, and says how much it read', async () => {
  const { code, out } = await explain(at('flows.jsonl'), at('cand.yaml'));
  expect(code).toBe(EXIT.fine);
  expect(out).toMatch(/✓ allowed shop\/web-\S+ → shop\/api-\S+, 8080\/TCP \(ingress\): Allowed by shop\/api \(spec\.ingress\[0\]\)\./);
  expect(out).toMatch(/✗ denied {2}shop\/batch-\S+ → .*: No rule allows it/);
  expect(out).toContain('3 records read; 3 decided, 0 not, under 1 policies.');
});

it.each([
  ['a condition that a record does not tell', 'f-sni.jsonl', 'c-sni.yaml', EXIT.undecided],
  ['text without labels', 'flows-text.txt', 'cand.yaml', EXIT.unreadable],
  ['policies without a namespace', 'flows.jsonl', 'cand-nons.yaml', EXIT.unreadable],
  ['an empty recording', '-', 'cand.yaml', EXIT.empty],
])('%s is not green', async (_what, flows, policies, code) => {
  const found = await explain(flows === '-' ? '-' : at(flows), at(policies));
  expect(found.code).toBe(code);
  expect(found.out).not.toContain('✓');
});

it('a name that no rule can learn allows nothing here either', async () => {
  const { out } = await explain(at('f-fqdn.jsonl'), at('c-fqdn.yaml'));
  expect(out).toMatch(/✗ denied .*: No rule allows it/);
  expect(out).not.toContain('✓ allowed');
});
