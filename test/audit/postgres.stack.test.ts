import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/audit/database.ts';
import { createFreezes } from '../../src/audit/freezes.ts';
import { createAudit } from '../../src/audit/log.ts';
import { createRecords } from '../../src/audit/records.ts';
import { createRequests } from '../../src/audit/requests.ts';
import { databaseClock } from '../../src/doctor/clock.ts';
import type { AuditRecord } from '../../src/domain/lifecycle/operation.ts';
import type { WatchRecord } from '../../src/ports.ts';
import { postgresBinaries, startPostgres, type TestPostgres } from '../support/postgres.ts';

/** What two replicas share, on a real Postgres. Without Debian's package `postgresql` there is none to try. */
const bin = postgresBinaries();
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
const AT = Date.UTC(2026, 0, 1);
function record(key: string, rest: Partial<AuditRecord> = {}): AuditRecord {
  return {
    key,
    at: AT,
    kind: 'write',
    opId: 'canary-k3f2',
    target,
    actor: 'operator@example.com',
    data: { weight: 10, words: 'a “quoted” word' },
    ...rest,
  };
}

describe.skipIf(bin === undefined)('two replicas on one Postgres', () => {
  let server: TestPostgres;
  let here: Database;
  let there: Database;
  beforeAll(async () => {
    server = await startPostgres(bin as string);
    const url = await server.database('meshops');
    // Both bring an empty database up to date at once, as two pods do that start together.
    [here, there] = await Promise.all([openDatabase(url), openDatabase(url)]);
  });
  afterAll(async () => {
    await here?.destroy();
    await there?.destroy();
    await server?.stop();
  });

  test('append to one chain without a hole or a fork', async () => {
    const [mine, theirs] = [createAudit(here), createAudit(there)];
    await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 ? mine : theirs).append([record(`r${n}`), record(`r${n}`)])));
    expect(await mine.verify()).toMatchObject({ kind: 'intact', records: 60 });
    await here.updateTable('audit').set({ body: '{}' }).where('seq', '=', 7).execute();
    expect(await theirs.verify()).toMatchObject({ kind: 'broken', seq: 7 });
  });

  test('know of each other which operations are over, and what each can be taken back to', async () => {
    const [mine, theirs] = [createAudit(here), createAudit(there)];
    await mine.started({ opId: 'canary-k3f2', workflowId: 'mesh/demo/backend/backend', runId: 'r1', target, at: AT });
    expect(await theirs.operation('canary-k3f2')).toMatchObject({ workflowId: 'mesh/demo/backend/backend', runId: 'r1', startedAt: AT });
    expect(await theirs.isOver('canary-k3f2')).toBe(false);
    const data = { kind: 'completed', words: 'Done.', opId: 'canary-k3f2', ...CHANGED };
    await mine.append([record('outcome', { kind: 'outcome', at: AT + 5, data })]);
    expect(await theirs.isOver('canary-k3f2')).toBe(true);
    expect(await theirs.lastCompleted(target, 'canary')).toMatchObject({ opId: 'canary-k3f2', last: { number: 2 } });
    expect(await theirs.history(target)).toMatchObject([{ opId: 'canary-k3f2' }]);
  });

  test('of many claims of one request one wins, and a replay is told what was answered', async () => {
    const [mine, theirs] = [createRequests(here), createRequests(there)];
    const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? mine : theirs).claim('trigger', AT + n)));
    expect(claims.filter(({ kind }) => kind === 'ours')).toHaveLength(1);
    await mine.answer('trigger', 'started');
    expect(await theirs.claim('trigger', AT + 99)).toMatchObject({ kind: 'seen', answer: 'started' });
    expect(await theirs.forget(AT + 1_000)).toBe(1);
  });

  test('compare their clocks with its own', async () => {
    expect(await databaseClock(here)).toBe('agrees with the database');
  });

  test('share their freezes', async () => {
    const [mine, theirs] = [createFreezes(here, () => AT), createFreezes(there, () => AT)];
    const by = { id: 'operator@example.com', name: 'Operator' };
    await mine.set({ scope: 'demo/backend', reason: 'peak', by, setAt: AT, until: AT + 60_000 });
    await theirs.set({ scope: 'demo/backend', reason: 'longer', by, setAt: AT, until: AT + 90_000 });
    expect(await mine.active(target)).toMatchObject({ scope: 'demo/backend', reason: 'longer', until: AT + 90_000 });
    expect(await mine.lift('demo/backend')).toMatchObject({ reason: 'longer' });
    expect(await theirs.list()).toEqual([]);
  });

  test('keep what the judges heard for each other, and forget the oldest', async () => {
    const [mine, theirs] = [createRecords(here, () => 86_400_000), createRecords(there, () => 86_400_000)];
    const heard = (opId: string, endedAt: number): WatchRecord => ({
      opId,
      stage: 1,
      purpose: 'stage',
      startedAt: AT,
      attempt: 1,
      endedAt,
      verdict: 'harmful',
      events: 2,
      text: '{"settings":{}}\n{"kind":"tick"}\n',
    });
    await Promise.all([mine.keep(heard('canary-a', AT)), theirs.keep(heard('canary-a', AT)), mine.keep(heard('canary-b', AT + 1))]);
    expect(await theirs.list('canary-a')).toHaveLength(1);
    expect(await theirs.read('canary-b', AT, 1)).toEqual(heard('canary-b', AT + 1));
    await here
      .updateTable('watch_records')
      .set({ bytes: 300 * 2 ** 20 })
      .execute();
    await mine.keep(heard('canary-c', AT + 2));
    expect(await theirs.list('canary-a')).toEqual([]);
    expect(await theirs.list('canary-b')).toHaveLength(1);
  });
});
