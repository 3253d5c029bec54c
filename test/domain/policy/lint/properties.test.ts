import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { lintText } from '../../../../src/documents/lint.ts';
import { parsePolicy } from '../../../../src/domain/policy/parse.ts';
import { BROKEN } from './documents.ts';
import { edited } from './edited.ts';
import { randomPolicyText } from './random.ts';

const isError = ({ severity }: { readonly severity: string }): boolean => severity === 'error';

test('a document without errors is one that the engine accepts, and one that it accepts is never called invalid', () => {
  let accepted = 0;
  fc.assert(
    fc.property(randomPolicyText, (text) => {
      const findings = lintText(text).findings;
      const valid = parsePolicy(parse(text)).ok;
      if (!findings.some(isError)) expect(valid).toBe(true);
      if (valid) expect(findings.filter(({ rule }) => rule === 'invalid' || rule === 'empty-sections')).toEqual([]);
      if (!findings.some(isError)) accepted++;
    }),
    { numRuns: 200 },
  );
  expect(accepted).toBeGreaterThan(15);
});

test('a fix that is taken never leaves what it was for, and never makes a policy that the engine refuses out of one that it takes', () => {
  let fixes = 0;
  fc.assert(
    fc.property(randomPolicyText, (text) => {
      for (const { rule, path, fix } of lintText(text).findings) {
        if (!fix?.edit) continue;
        fixes++;
        const after = edited(text, fix.edit);
        // List entries move up when one is removed, so the count of a rule says it, not the path.
        const count = (of: string): number => lintText(of).findings.filter((one) => one.rule === rule).length;
        expect(count(after), `${rule} ${path}\n${text}\n---\n${after}`).toBeLessThan(count(text));
        if (parsePolicy(parse(text)).ok) expect(parsePolicy(parse(after)), `${rule} ${path}\n${after}`).toMatchObject({ ok: true });
      }
    }),
    { numRuns: 60 },
  );
  expect(fixes).toBeGreaterThan(30);
});

test('any text gives its findings, at places that it has', () => {
  const pieces = BROKEN.map(({ text }) => text);
  const torn = fc
    .tuple(fc.constantFrom(...pieces), fc.nat(600), fc.nat(600), fc.string({ maxLength: 8 }))
    .map(([text, from, to, fresh]) => {
      const [a, b] = [Math.min(from, to), Math.max(from, to)];
      return text.slice(0, a) + fresh + text.slice(a + ((b - a) % 20));
    });
  fc.assert(
    fc.property(fc.oneof(torn, fc.json(), fc.string()), (text) => {
      const lines = text.split('\n');
      for (const { line, column, endLine, endColumn } of lintText(text).findings) {
        expect(line).toBeLessThanOrEqual(lines.length);
        expect([column, endColumn].every((one) => one >= 1)).toBe(true);
        expect(endLine).toBeGreaterThanOrEqual(line);
      }
    }),
    { numRuns: 400 },
  );
});
