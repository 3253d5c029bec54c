import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashOf } from '../../src/audit/chain.ts';
import { openDatabase } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import { auditExport } from '../../src/cli/audit-export.ts';
import { auditVerify } from '../../src/cli/audit-verify.ts';
import { canonicalJson, type JsonObject } from '../../src/domain/json.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const DAY = 86_400_000;
const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };

let folder: string;
let url: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-audit-'));
  url = `sqlite:${join(folder, 'audit.sqlite')}`;
  const db = await openDatabase(url);
  const one = (key: string, at: number, kind: 'request' | 'outcome', data: JsonObject) =>
    createAudit(db).append([{ key, at, kind, opId: 'canary-aaaa', target, actor: 'operator@example.com', data }]);
  await one('a/1', NOW - 9 * DAY, 'request', { text: '=HYPERLINK("x"), "quoted"' });
  await one('a/2', NOW - DAY, 'outcome', { kind: 'completed', words: 'All steps are in place.' });
  await db.destroy();
});
afterEach(() => rmSync(folder, { recursive: true }));

function options() {
  return {
    environment: { databaseUrl: url } as never,
    configPath: '/does/not/exist.yaml',
    signal: new AbortController().signal,
  };
}
async function exported(
  format: 'jsonl' | 'csv',
  since?: string,
): Promise<{ readonly code: number; readonly text: string; readonly said: string[] }> {
  let text = '';
  const said: string[] = [];
  const write = (more: string): void => void (text += more);
  const code = await auditExport({
    ...options(),
    format,
    now: () => NOW,
    write,
    print: (line) => said.push(line),
    ...(since !== undefined && { since }),
  });
  return { code, text, said };
}
async function verified(head?: string): Promise<readonly [number, string]> {
  const said: string[] = [];
  const code = await auditVerify({ ...options(), print: (line) => said.push(line), ...(head !== undefined && { head }) });
  return [code, said.join()];
}

describe('meshops audit export', () => {
  it('writes lines whose hashes can be checked without the database', async () => {
    const { text } = await exported('jsonl');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; prev: string; hash: string; record: JsonObject });
    expect(lines.map(({ seq }) => seq)).toEqual([1, 2]);
    for (const { seq, prev, hash, record } of lines) expect(hashOf(prev, seq, canonicalJson(record))).toBe(hash);
    expect(lines[1]?.prev).toBe(lines[0]?.hash);
  });

  it('writes CSV that a spreadsheet reads as texts', async () => {
    const { text } = await exported('csv');
    const [head, first] = text.split('\r\n');
    expect(head).toBe('seq,at,kind,operation,target,actor,what,key,hash');
    expect(first).toContain(`"'=HYPERLINK(""x""), ""quoted"""`);
  });

  it.each([
    ['7d', [2]],
    ['2026-01-01', [1, 2]],
    ['2026-01-31T00:00:00Z', []],
  ] as const)('since %s has the records of then', async (since, wanted) => {
    const { text } = await exported('jsonl', since);
    const seqs = text
      .trimEnd()
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { seq: number }).seq]));
    expect(seqs).toEqual(wanted);
  });

  it('writes nothing where the time is none', async () => {
    const { code, text, said } = await exported('csv', 'last week');
    expect([code, text]).toEqual([1, '']);
    expect(said.join()).toContain('last week is neither');
  });
});

describe('meshops audit verify --head', () => {
  it('is content with a hash of then, and notices a record that was cut off at the end', async () => {
    const hashes = (await exported('jsonl')).text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { hash: string }).hash);
    expect((await verified(hashes[0]))[0]).toBe(0);
    const db = await openDatabase(url);
    await db.deleteFrom('audit').where('seq', '=', 2).execute();
    await db
      .updateTable('audit_head')
      .set({ seq: 1, hash: hashes[0] ?? '' })
      .execute();
    await db.destroy();
    expect((await verified())[0]).toBe(0);
    expect(await verified(hashes[1])).toEqual([1, expect.stringContaining('the end was cut off')]);
  });
});
