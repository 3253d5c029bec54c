import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { policyDryRun } from '../../src/cli/policy-dryrun.ts';
import { BACKEND, DATABASE, FRONTEND, line } from '../domain/policy/dryrun/lines.ts';
import { GOOD } from '../slack/policy/played.ts';

let folder: string;
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(candidate: string, flows: string, more: { inForce?: string[]; format?: 'words' | 'json' | 'csv'; stdin?: string } = {}) {
  const lines: string[] = [];
  const { inForce = [], format = 'words', stdin = '' } = more;
  const options = { candidate, flows, inForce, format, stdin: Readable.from([Buffer.from(stdin)]), signal: new AbortController().signal };
  const code = await policyDryRun({ ...options, print: (text) => lines.push(text) });
  return { code, text: lines.join('\n') };
}

test('names what would be dropped, with counts, times, an example and the key that accepts it; exit code 1', async () => {
  const flows = [line({ from: DATABASE, to: BACKEND, port: 9090 }), line({ from: FRONTEND, to: BACKEND, at: 60 }), 'no json', ''].join(
    '\n',
  );
  const { code, text } = await run(file('candidate.yaml', GOOD), file('flows.jsonl', flows));
  expect(code).toBe(1);
  expect(text).toContain('✗ Dry-run: 1 of 2 connections that were seen would be dropped.');
  expect(text).toContain('would drop: from database/database to port 9090/TCP: 1 connection(s)');
  expect(text).toContain('--accept ingress/database/database/9090/TCP');
  expect(text).toContain('2 connections and requests of these pods decided, 0 not decided, under 0 policies in force.');
  expect(text).toContain(
    '2 records read, 2026-01-01T12:00:00.000Z to 2026-01-01T12:01:00.000Z; 1 lines are no flows (it is neither JSON nor a line of hubble observe).',
  );
});

test('with the policies in force, from stdin, as JSON; exit code 0', async () => {
  const inForce = [file('old.yaml', GOOD.replace('name: backend', 'name: old'))];
  const stdin = line({ from: DATABASE, to: BACKEND, port: 9090, verdict: 'DROPPED' });
  const { code, text } = await run(file('candidate.yaml', GOOD), '-', { inForce, format: 'json', stdin });
  expect(code).toBe(0);
  expect(JSON.parse(text)).toMatchObject({ wouldDrop: [], stillDenied: 1, records: 1 });
});

test.each([
  ['a recording that is not there', GOOD, 'missing.jsonl', 'ENOENT'],
  ['two candidates', `${GOOD}---\n${GOOD}`, '-', 'one candidate'],
  ['a candidate that Cilium rejects', GOOD.replace('"8080"', '"99999"'), '-', 'would be rejected'],
])('%s: exit code 2', async (_what, candidate, flows, words) => {
  const { code, text } = await run(file('bad.yaml', candidate), flows);
  expect(code).toBe(2);
  expect(text).toContain(words);
});
