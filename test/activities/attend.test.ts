import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { attend } from '../../activities/attend.ts';
import { isHolder } from '../../activities/writes/made.ts';
import type { Attended, AttendInput } from '../../src/domain/lifecycle/contract.ts';
import type { Freeze } from '../../src/domain/lifecycle/freeze.ts';
import { SILENT } from '../../src/log.ts';
import { restoreInputOf, routeRef } from './support/routes.ts';

const freeze: Freeze = { scope: 'demo', reason: 'weekend', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.now() + 60_000 };
const rule = { above: 0, approvers: { usergroups: ['S0'], emails: [] }, quorum: 1, expiryMs: 60_000 };

function attending(change: Partial<AttendInput> = {}, broken = false) {
  const world = { freeze: undefined as Freeze | undefined, approvers: [{ id: 'a', name: 'A' }], broken, offset: 0 };
  const deps = {
    freezes: { active: async () => (world.broken ? Promise.reject(new Error('away')) : world.freeze) },
    people: { approvers: async () => world.approvers },
    now: () => Date.now() + world.offset,
    log: SILENT,
  };
  const input = {
    target: {},
    request: {},
    rule,
    heeds: true,
    everyMs: 10,
    forMs: 3_600_000,
    freeze: null,
    approvers: world.approvers,
    ...change,
  };
  const environment = new MockActivityEnvironment();
  const result = environment.run(() => attend(deps, input as AttendInput, environment.context.cancellationSignal)) as Promise<Attended>;
  result.catch(() => undefined);
  return { world, environment, result };
}

test('an open question hears of a freeze that is set, and of one that is lifted', async () => {
  const set = attending();
  set.world.freeze = freeze;
  expect(await set.result).toMatchObject({ freeze: { reason: 'weekend' } });
  const lifted = attending({ freeze });
  expect(await lifted.result).toMatchObject({ freeze: null });
});

test('an open question hears of other approvers after some minutes', async () => {
  const { world, result } = attending();
  world.approvers = [{ id: 'b', name: 'B' }];
  world.offset = 6 * 60_000;
  expect(await result).toMatchObject({ approvers: [{ id: 'b' }] });
});

test('an open question ends when the next call is due, with what is known', async () => {
  const { world, result } = attending({ callAt: Date.now() + 60_000 });
  world.offset = 61_000;
  expect(await result).toMatchObject({ isDue: true, approvers: [{ id: 'a' }] });
});

test('what cannot be read counts as unchanged, and a cancellation ends it', async () => {
  const { environment, result } = attending({ freeze }, true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  environment.cancel('CANCELLED');
  await expect(result).rejects.toSatisfy((error: unknown) => error instanceof CancelledFailure || (error as Error).name === 'AbortError');
});

test('a fuse beside the write of a stage may undo what carries the token of that stage or of the one before it, and no other', () => {
  const write = { object: routeRef('backend'), uid: 'u', generation: 1, before: {}, after: {} };
  const written = [0, 1, 2, 3].map((stage) => ({ stage, writes: [write] }));
  const input = { ...restoreInputOf('canary-x', [], [], 'operation'), written };
  const may = (stage: number): boolean => isHolder({ ...input, holder: { stage: 2, since: 1 } }, write.object, stage);
  expect([0, 1, 2, 3].map(may)).toEqual([false, true, true, false]);
});
