// The real workflows on a real Temporal server, reached as the bot reaches them, payloads encrypted.
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../../playground/cluster/stack.ts';
import { until } from '../../playground/cluster/waiting.ts';
import { temporalChecks } from '../../src/doctor/temporal.ts';
import type { Decision } from '../../src/domain/lifecycle/gate.ts';
import type { OperationRequest, OperationView } from '../../src/domain/lifecycle/operation.ts';
import { SILENT } from '../../src/log.ts';
import { parsePayloadKeys } from '../../src/temporal/codec.ts';
import { connectClient, connectWorker, dataConverterOf } from '../../src/temporal/connection.ts';
import { createOperations, type Operations } from '../../src/temporal/operations.ts';
import type { Settled } from '../../src/temporal/results.ts';
import { type ClusterWorker, createWorker } from '../../src/temporal/worker.ts';
import { FakeMesh, fakes, healthy, operator, request, reviewer, watched } from '../support/operations.ts';
import type { FakeActivity } from '../support/simulator.ts';

const keys = { keys: parsePayloadKeys(`test:${Buffer.alloc(32, 7).toString('base64')}`) };
const ending = new AbortController();
let stack: Stack;
let client: Client;
let operations: Operations;
let close: () => Promise<void>;
let worker: ClusterWorker | undefined;
let number = 0;

beforeAll(async () => {
  stack = await startStack({ signal: ending.signal, progress: () => undefined });
  ({ client, close } = await connectClient(where(), keys));
  operations = createOperations({
    client,
    now: Date.now,
    lookup: async () => undefined,
    onError: (error) => SILENT.error({ error }, ''),
  });
});
afterAll(async () => {
  worker?.stop();
  await worker?.running;
  await close();
  await stack.stop();
});

const where = () => ({ address: stack.temporal.address, namespace: stack.temporal.namespace });

async function startWorker(): Promise<void> {
  const mesh = new FakeMesh();
  const fakeActivities = fakes(mesh, [10], (input) => watched(mesh, input, healthy));
  const activities = Object.fromEntries(Object.entries(fakeActivities).map(([name, fake]) => [name, real(fake)]));
  worker = await createWorker({
    cluster: 'demo',
    connection: await connectWorker(where()),
    namespace: stack.temporal.namespace,
    activities,
    dataConverter: dataConverterOf(keys),
    graceMs: 100,
  });
}

function real(fake: FakeActivity): (input: never) => Promise<unknown> {
  return async (input) => {
    const reply = (fake as (input: never, context: { now: number; call: number }) => { value?: unknown })(input, {
      now: Date.now(),
      call: 1,
    });
    return reply.value;
  };
}

function asked(name: string, change: Partial<OperationRequest> = {}): OperationRequest {
  const now = Date.now();
  const target = { cluster: 'demo', namespace: 'backend', name };
  return request({ requestId: `slack:${++number}`, requestedAt: now, validUntil: now + 60_000, target, ...change });
}
const nobody = { onSettled: async () => undefined };

async function waiting(name: string): Promise<OperationView> {
  let found: OperationView | undefined;
  const isThere = async (): Promise<boolean> => {
    const answer = await operations.on({ cluster: 'demo', namespace: 'backend', name });
    found = answer.kind === 'view' && answer.view.gate ? answer.view : undefined;
    return found !== undefined;
  };
  await until(isThere, { what: 'the gate', withinMs: 20_000, everyMs: 50, signal: ending.signal });
  if (!found) throw new Error('no gate');
  return found;
}
function decision(view: OperationView, change: Partial<Decision>): Decision {
  return {
    opId: view.opId,
    runId: view.runId,
    gateId: view.gate?.gateId ?? '',
    planHash: view.gate?.planHash.slice(0, 16) ?? '',
    choice: 'approve',
    actor: reviewer,
    ...change,
  };
}

test('with no worker the answer is "not confirmed" in time, and the truth comes when there is one', async () => {
  const truth = Promise.withResolvers<Settled>();
  const startedAt = Date.now();
  const result = await operations.begin(asked('late'), { onSettled: async (settled) => truth.resolve(settled) });
  expect(result).toEqual({ kind: 'not-confirmed' });
  expect(Date.now() - startedAt).toBeLessThan(2_000);
  expect(await operations.running({ cluster: 'demo', namespace: 'backend', name: 'late' })).toBeDefined();
  await startWorker();
  expect(await truth.promise).toMatchObject({ kind: 'begun', begun: { continued: false } });
});

test('begin, busy, the same request again, and seeing it', async () => {
  const mine = asked('backend');
  const first = await operations.begin(mine, { ...nobody, withinMs: 5_000 });
  expect(first.kind).toBe('begun');
  expect(await operations.begin(mine, nobody)).toEqual(first);
  const view = await waiting('backend');
  expect(await operations.begin(asked('backend'), nobody)).toMatchObject({
    kind: 'busy',
    view: { opId: view.opId, requester: { id: operator.id } },
  });
  const at = { workflowId: view.workflowId, runId: view.runId };
  expect(await operations.running(view.target)).toMatchObject(at);
  expect(await operations.find(view.opId)).toEqual(at);
});

test('a decision is refused with its code, accepted, and too late when it is over', async () => {
  const view = await waiting('backend');
  const refused = await operations.decide(view.workflowId, decision(view, { actor: operator }));
  expect(refused).toMatchObject({ kind: 'refused', code: 'SelfApproval', view: { opId: view.opId } });
  expect(await operations.decide(view.workflowId, decision(view, { planHash: 'f'.repeat(16) }))).toMatchObject({ code: 'StalePlan' });
  expect(await operations.decide(view.workflowId, decision(view, { choice: 'reject', reason: 'not now' }))).toEqual({
    kind: 'accepted',
    remaining: 0,
  });
  await client.workflow.getHandle(view.workflowId, view.runId).result();
  expect(await operations.decide(view.workflowId, decision(view, {}))).toEqual({ kind: 'over' });
  expect(await operations.abort({ workflowId: view.workflowId, runId: view.runId }, { actor: reviewer })).toEqual({ kind: 'over' });
  const after = await operations.describe({ workflowId: view.workflowId, runId: view.runId });
  expect(after).toMatchObject({ kind: 'view', view: { phase: 'over', outcome: { kind: 'rejected' } } });
});

test('an abort stops what runs', async () => {
  const view = await waiting('late');
  const at = { workflowId: view.workflowId, runId: view.runId };
  expect(await operations.abort(at, { actor: reviewer, reason: 'enough' })).toEqual({ kind: 'sent' });
  expect(await client.workflow.getHandle(at.workflowId, at.runId).result()).toMatchObject({ kind: 'aborted' });
});

test('a request that is too old begins nothing', async () => {
  const late = asked('stale', { validUntil: Date.now() - 1 });
  expect(await operations.begin(late, { ...nobody, withinMs: 5_000 })).toMatchObject({ kind: 'refused', code: 'RequestExpired' });
});

test('doctor compares clocks with the server', async () => {
  const check = temporalChecks(where).find(({ name }) => name === "Temporal's clock");
  expect(await check?.look(ending.signal)).toBe('agrees with Temporal');
});

test('nothing that anybody said can be read in the histories', async () => {
  const history = await client.workflow.getHandle('mesh/demo/backend/backend').fetchHistory();
  const text = JSON.stringify(history, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
  expect(history.events?.length).toBeGreaterThan(10);
  for (const word of ['operator@example.com', 'not now', 'mesh-operators']) expect(text).not.toContain(word);
});

test('what nobody has is gone', async () => {
  expect(await operations.on({ cluster: 'demo', namespace: 'backend', name: 'never' })).toEqual({ kind: 'gone' });
  expect(await operations.find('canary-none')).toBeUndefined();
  expect(await operations.drain(1_000)).toBe(0);
});
