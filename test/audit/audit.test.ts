import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, DatabaseRefused, openDatabase, refuseReplicas } from '../../src/audit/database.ts';
import { createAudit } from '../../src/audit/log.ts';
import { createRequests } from '../../src/audit/requests.ts';
import type { AuditRecord } from '../../src/domain/lifecycle/operation.ts';

const WEIGHT = '/spec/rules/0/backendRefs/1/weight';
const OBJECT = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
/** What a completed operation records: from 0 to 10. */
const CHANGED = {
  originals: [{ object: OBJECT, uid: 'u1', fields: { [WEIGHT]: 0 }, token: null, digest: '' }],
  last: {
    number: 2,
    label: '10%',
    exposure: 0.1,
    writes: [{ object: OBJECT, uid: 'u1', generation: 1, before: { [WEIGHT]: 0 }, after: { [WEIGHT]: 10 } }],
  },
};
const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };
function record(key: string, rest: Partial<AuditRecord> = {}): AuditRecord {
  return { key, at: 1_000, kind: 'write', opId: 'canary-k3f2', target, actor: 'operator@example.com', data: { weight: 10 }, ...rest };
}

let folder: string;
let url: string;
let db: Database;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshops-audit-'));
  url = `sqlite:${join(folder, 'audit.db')}`;
  db = await openDatabase(url);
});
afterEach(async () => {
  await db.destroy();
  rmSync(folder, { recursive: true });
});

describe('audit record', () => {
  test('a chain that nobody touched is intact', async () => {
    const audit = createAudit(db);
    await audit.append([record('a'), record('b')]);
    await audit.append([record('c')]);
    expect(await audit.verify()).toMatchObject({ kind: 'intact', records: 3 });
  });

  test('writing a record twice is the same as once', async () => {
    const audit = createAudit(db);
    await audit.append([record('a'), record('a')]);
    await audit.append([record('a'), record('b')]);
    expect(await audit.verify()).toMatchObject({ kind: 'intact', records: 2 });
  });

  test.each([
    ['a changed body', (body: Database) => body.updateTable('audit').set({ body: '{}' }).where('seq', '=', 3).execute(), 3],
    [
      'a changed column',
      (body: Database) => body.updateTable('audit').set({ actor: 'reviewer@example.com' }).where('seq', '=', 2).execute(),
      2,
    ],
    ['a removed record', (body: Database) => body.deleteFrom('audit').where('seq', '=', 2).execute(), 3],
    ['a removed end', (body: Database) => body.deleteFrom('audit').where('seq', '>', 3).execute(), 4],
    [
      'a changed hash',
      (body: Database) =>
        body
          .updateTable('audit')
          .set({ hash: 'f'.repeat(64) })
          .where('seq', '=', 4)
          .execute(),
      4,
    ],
  ])('%s is found and the first broken record named', async (_what, tamper, seq) => {
    const audit = createAudit(db);
    await audit.append(['a', 'b', 'c', 'd'].map((key) => record(key)));
    await tamper(db);
    expect(await audit.verify()).toMatchObject({ kind: 'broken', seq });
  });

  test('two processes append to one file without a hole or a fork', async () => {
    const script = `
      const { openDatabase } = await import(${JSON.stringify(source('database.ts'))});
      const { createAudit } = await import(${JSON.stringify(source('log.ts'))});
      const db = await openDatabase(${JSON.stringify(url)});
      const audit = createAudit(db);
      for (let i = 0; i < 40; i++) await audit.append([{ key: process.argv[1] + i, at: i, kind: 'write', opId: 'x', target: ${JSON.stringify(target)}, data: {} }]);
      await db.destroy();`;
    await Promise.all(['p', 'q'].map((name) => run(script, name)));
    expect(await createAudit(db).verify()).toMatchObject({ kind: 'intact', records: 80 });
  });
});

describe('operations', () => {
  test('an outcome ends an operation, and the last completed one can be gone back from', async () => {
    const audit = createAudit(db);
    await audit.append([record('p', { kind: 'plan' })]);
    expect(await audit.isOver('canary-k3f2')).toBe(false);
    const data = { kind: 'completed', words: 'Done.', opId: 'canary-k3f2', ...CHANGED };
    await audit.append([record('o', { kind: 'outcome', at: 2_000, data })]);
    await audit.append([
      record('o2', { kind: 'outcome', at: 3_000, opId: 'canary-zzzz', data: { outcome: { kind: 'rolled-back', words: 'Back.' } } }),
    ]);
    expect(await audit.isOver('canary-k3f2')).toBe(true);
    expect(await audit.lastCompleted(target, 'canary')).toMatchObject({ opId: 'canary-k3f2', last: { number: 2 } });
    expect(await audit.lastEnded(target)).toMatchObject({ opId: 'canary-zzzz', outcome: 'rolled-back', words: 'Back.' });
    expect(await audit.lastCompleted({ ...target, name: 'frontend' }, 'canary')).toBeUndefined();
  });

  test('the last completed operation is that of the verb; one that left nothing is passed over, and a way back says that it is one', async () => {
    const audit = createAudit(db);
    const end = (opId: string, at: number, data: AuditRecord['data']) =>
      record(`${opId}/end`, { kind: 'outcome', opId, at, data: { kind: 'completed', words: 'Done.', ...data } });
    const asked = (opId: string, change: AuditRecord['data']) => record(`${opId}/asked`, { kind: 'request', opId, data: { change } });
    await audit.append([asked('canary-a', { kind: 'shift', percent: 10 }), end('canary-a', 1_000, CHANGED)]);
    await audit.append([asked('policy-b', { kind: 'enforce' }), end('policy-b', 2_000, CHANGED)]);
    const [write] = CHANGED.last.writes;
    const unchanged = { ...CHANGED, last: { ...CHANGED.last, writes: [{ ...write, after: { [WEIGHT]: 0 } }] } };
    await audit.append([asked('policy-c', { kind: 'observe' }), end('policy-c', 3_000, unchanged)]);
    expect(await audit.lastCompleted(target, 'canary')).toMatchObject({
      opId: 'canary-a',
      isWayBack: false,
      endedAt: 1_000,
      by: 'operator@example.com',
    });
    expect(await audit.lastCompleted(target, 'policy')).toMatchObject({ opId: 'policy-b' });
    await audit.append([asked('canary-d', { kind: 'back' }), end('canary-d', 4_000, CHANGED)]);
    expect(await audit.lastCompleted(target, 'canary')).toMatchObject({ opId: 'canary-d', isWayBack: true });
    // A way back that raised is a change like another.
    await audit.append([asked('canary-e', { kind: 'back' }), end('canary-e', 5_000, { ...CHANGED, wayBack: false })]);
    expect(await audit.lastCompleted(target, 'canary')).toMatchObject({ opId: 'canary-e', isWayBack: false });
    // Stopped while it lowered: what it wrote stays, and counts.
    await audit.append([asked('canary-f', { kind: 'back' }), end('canary-f', 6_000, { ...CHANGED, kind: 'aborted', wayBack: true })]);
    expect(await audit.lastCompleted(target, 'canary')).toMatchObject({ opId: 'canary-f', isWayBack: true });
  });

  test('messages of earlier operations of the verb are found, without the own one', async () => {
    const audit = createAudit(db);
    for (const [opId, at] of [
      ['canary-a', 1],
      ['canary-b', 2],
      ['policy-c', 3],
    ] as const) {
      const message = { channelId: 'C0MESH', ts: `${at}.0` };
      await audit.append([record(opId, { kind: 'outcome', opId, at, data: { kind: 'completed', words: 'Done.', ...CHANGED, message } })]);
    }
    expect(await audit.earlierMessages?.(target, 'canary', 'canary-b')).toEqual([{ channelId: 'C0MESH', ts: '1.0' }]);
  });

  test('an id alone finds the workflow', async () => {
    const audit = createAudit(db);
    await audit.append([record('r', { kind: 'request' })]);
    await audit.started({ opId: 'canary-k3f2', workflowId: 'mesh/demo/backend/backend', runId: 'r1', target, at: 1 });
    expect(await audit.operation('canary-k3f2')).toMatchObject({ workflowId: 'mesh/demo/backend/backend', runId: 'r1' });
  });
});

describe('request ids', () => {
  test('of many claims at once on two connections one wins', async () => {
    const other = await openDatabase(url);
    const [here, there] = [createRequests(db), createRequests(other)];
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? here : there).claim('trigger', i)));
    expect(claims.filter((claim) => claim.kind === 'ours')).toHaveLength(1);
    await other.destroy();
  });

  test('a replay is told the earlier answer', async () => {
    const requests = createRequests(db);
    await requests.claim('t', 5);
    expect(await requests.claim('t', 6)).toEqual({ kind: 'seen', claimedAt: 5 });
    await requests.answer('t', 'started');
    expect(await requests.claim('t', 7)).toEqual({ kind: 'seen', claimedAt: 5, answer: 'started' });
    expect(await requests.forget(6)).toBe(1);
  });
});

test('SQLite is refused for more than one replica', () => {
  expect(() => refuseReplicas('sqlite:x.db', 2)).toThrow(DatabaseRefused);
  expect(() => refuseReplicas('postgres://db/meshops', 2)).not.toThrow();
});

test('an address that is neither is refused', async () => {
  await expect(openDatabase('mysql://x')).rejects.toThrow(DatabaseRefused);
});

function source(file: string): string {
  return fileURLToPath(new URL(`../../src/audit/${file}`, import.meta.url));
}
function run(script: string, name: string): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, name], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`)))));
}
