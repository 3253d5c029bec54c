import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { settle } from '../../src/temporal/begin.ts';
import { createDescribe } from '../../src/temporal/describe.ts';
import { createOperations } from '../../src/temporal/operations.ts';
import { request } from '../support/operations.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
function tooOld(): Error {
  return new WorkflowUpdateFailedError('refused', ApplicationFailure.create({ type: 'RequestExpired', message: 'RequestExpired' }));
}

/** A Temporal that finds every request too old; `deadlines` by which its answers were wanted. */
function temporal(status = 'RUNNING') {
  const deadlines: number[] = [];
  const client = {
    withDeadline: async (at: number, work: () => Promise<unknown>) => {
      deadlines.push(at);
      return work();
    },
    withAbortSignal: async (_: AbortSignal, work: () => Promise<unknown>) => work(),
    workflow: {
      executeUpdateWithStart: async () => Promise.reject(tooOld()),
      getHandle: () => ({ query: async () => ({ opId: 'canary-k3f2' }), describe: async () => ({ status: { name: status } }) }),
    },
  };
  return { client: client as unknown as Client, deadlines };
}

test.each([
  ['while the bot itself still takes it for young: the clocks are apart', NOON + 300, 'ClocksApart'],
  ['after its time: it is late', NOON + 60_001, 'RequestExpired'],
])('a request that Temporal refuses as too old, %s', async (_, now, code) => {
  const { client } = temporal();
  const asked = request({ requestedAt: NOON, validUntil: NOON + 60_000 });
  const deps = { client, now: () => now, lookup: async () => undefined, onError: () => undefined };
  const begun = await createOperations(deps).begin(asked, { onSettled: async () => undefined });
  expect(begun).toMatchObject({ kind: 'refused', code });
  expect(await settle(deps, asked, new AbortController().signal)).toMatchObject({ kind: 'refused', code });
});

test('what an operation shows is waited for by the clock of the process', async () => {
  const { client, deadlines } = temporal();
  await createDescribe(client, () => NOON)({ workflowId: 'mesh/demo/backend/backend', runId: 'run-1' });
  expect(deadlines).toEqual([NOON + 2_000]);
});

test.each([
  ['RUNNING', { opId: 'canary-k3f2' }],
  ['COMPLETED', { opId: 'canary-k3f2' }],
  ['TERMINATED', undefined],
  ['TIMED_OUT', undefined],
])('a run that is %s shows %j: a lost one still answers with the state of before', async (status, shown) => {
  const { client } = temporal(status);
  const at = { workflowId: 'mesh/demo/backend/backend', runId: 'run-1' };
  expect(await createDescribe(client, () => NOON)(at)).toEqual(shown);
});
