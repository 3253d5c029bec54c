import { expect, test } from 'vitest';
import { openDatabase } from '../../src/audit/database.ts';
import { type Audit, createAudit } from '../../src/audit/log.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import { reconcileOnce } from '../../src/compose/lost.ts';
import { look } from '../../src/compose/monitor.ts';
import type { Note } from '../../src/domain/lifecycle/contract.ts';
import type { AuditRecord, OperationRequest, OperationView } from '../../src/domain/lifecycle/operation.ts';
import { SILENT } from '../../src/log.ts';
import { lostOn } from '../../src/slack/lost.ts';
import type { OperationsSeen } from '../../src/telemetry.ts';
import type { Fate } from '../../src/temporal/fate.ts';
import { operator, request, settings } from '../support/operations.ts';

const OP = 'canary-k3f2aa';
const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' } as const;
const { target, change, text, channel } = request();

/** The record of an operation that waited for approval, or had written its only stage. */
async function record(audit: Audit, wrote: boolean): Promise<void> {
  const base = { opId: OP, target };
  const write = { object: ROUTE, uid: 'uid-1', generation: 1, before: { '/w': 0 }, after: { '/w': 10 } };
  const original = { object: ROUTE, uid: 'uid-1', fields: { '/w': 0 }, token: null, digest: 'd' };
  const undo = { firstStage: 1, originals: [original], stages: [{ number: 1, label: '10%', exposure: 0.1, writes: [write] }] };
  const records: AuditRecord[] = [
    {
      ...base,
      key: `${OP}/1`,
      at: 1,
      kind: 'request',
      actor: operator.id,
      data: { text, change, verb: 'canary', runId: 'run-1', requester: operator, channel } as never,
    },
    { ...base, key: `${OP}/2`, at: 2, kind: 'plan', data: { from: 'backend 100%', to: 'backend 90%', planHash: 'h', undo } as never },
    ...(wrote
      ? [{ ...base, key: `${OP}/3`, at: 3, kind: 'write', data: { stage: 1, result: 'applied', writes: [write] } as never } as const]
      : []),
  ];
  await audit.append(records);
}

async function scene(wrote: boolean, token: string | null, fate: Fate) {
  const db = await openDatabase(':memory:');
  const audit = createAudit(db);
  await record(audit, wrote);
  const [said, keys, shown, begun]: [Note[], string[], OperationView[], OperationRequest[]] = [[], [], [], []];
  const clock = { now: 60_000 };
  const annotations = token === null ? {} : { 'meshops.dev/operation': token };
  const object = {
    ...ROUTE,
    metadata: { name: 'backend', namespace: 'backend', uid: 'uid-1', resourceVersion: '1', annotations },
  } as KubeObject;
  const told = new Map<string, number>();
  const deps = {
    cluster: 'demo',
    audit,
    operations: {
      fate: async () => fate,
      begin: async (asked: OperationRequest) => {
        begun.push(asked);
        return { kind: 'begun', begun: { opId: OP, runId: 'run-2', continued: false } } as const;
      },
      listRunning: async () => [],
      describe: async () => ({ kind: 'gone' }) as const,
    },
    read: async () => object,
    announcer: {
      announce: async ({ view }: { view: OperationView }) => {
        shown.push(view);
        return { channelId: 'C0MESH', ts: '1.1' };
      },
      say: async ({ note, key }: { note: Note; key: string }) => {
        said.push(note);
        keys.push(key);
      },
    },
    settings: () => settings(),
    now: () => clock.now,
    log: SILENT,
  };
  const again = () => reconcileOnce(deps, told, new AbortController().signal);
  return { audit, db, said, keys, shown, begun, clock, again, deps };
}

test('a change in place whose run is gone is said once, shown, and said again after half an hour', async () => {
  const one = await scene(true, `${OP}/1`, { kind: 'lost', how: 'terminated' });
  await one.again();
  await one.again();
  expect(one.said).toMatchObject([{ kind: 'lost', how: 'terminated', label: '10%', before: 'backend 100%' }]);
  expect(one.shown).toMatchObject([{ opId: OP, lost: { how: 'terminated' }, text }]);
  expect(one.begun).toEqual([]);
  one.clock.now += 31 * 60_000;
  await one.again();
  expect(one.said).toHaveLength(2);
});

test('where the run that was to end it is gone too, that is said at once, and is on record', async () => {
  const one = await scene(true, `${OP}/1`, { kind: 'lost', how: 'terminated' });
  const started = (runId: string) => one.audit.started({ opId: OP, workflowId: 'mesh/demo/backend/backend', runId, target, at: 1 });
  await started('run-1');
  await one.again();
  await started('run-2');
  one.clock.now += 60_000;
  await one.again();
  await one.again();
  expect(one.said).toHaveLength(2);
  expect(one.keys[0]).not.toBe(one.keys[1]);
  const kept = await one.db.selectFrom('audit').select('key').where('kind', '=', 'lost').execute();
  expect(kept).toHaveLength(2);
});

test('one that has written nothing is closed by itself, and says that nothing was changed', async () => {
  const one = await scene(false, null, { kind: 'lost', how: 'terminated' });
  await one.again();
  expect(one.said).toEqual([]);
  expect(one.begun).toMatchObject([{ recovery: { opId: OP, written: [] } }]);
  expect(one.begun[0]?.recovery).not.toHaveProperty('by');
});

test('one that was rolled back before its run went is read back and closed', async () => {
  const one = await scene(true, null, { kind: 'lost', how: 'deleted' });
  await one.again();
  expect(one.begun).toMatchObject([{ recovery: { opId: OP, written: [{ stage: 1 }] } }]);
});

test('one that runs is left alone, and one that ended gets the outcome that Temporal still has', async () => {
  const running = await scene(true, `${OP}/1`, { kind: 'runs' });
  await running.again();
  expect([running.said, running.begun]).toEqual([[], []]);
  const ended = await scene(true, `${OP}/1`, { kind: 'ended', outcome: { kind: 'completed', code: 'Completed', words: 'Done.' } });
  await ended.again();
  expect(await ended.audit.operation(OP)).toMatchObject({ outcome: 'completed', words: 'Done.' });
  expect(await ended.audit.lastCompleted(target, 'canary')).toMatchObject({ opId: OP, last: { number: 1 } });
  await ended.again();
  expect(await ended.audit.open()).toEqual([]);
});

test('it counts as unwatched', async () => {
  const { deps } = await scene(true, `${OP}/1`, { kind: 'lost', how: 'terminated' });
  let seen: OperationsSeen | undefined;
  const lost = async () => (await lostOn(deps)).map(({ known }) => known.target);
  await look({ ...deps, lost, clusters: () => ['demo'], seen: (_cluster, operations) => (seen = operations) }, new Map());
  expect(seen).toMatchObject({ unwatched: 1 });
});
