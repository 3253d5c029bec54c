import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { describe, expect, test, vi } from 'vitest';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { OperationView } from '../../../src/domain/lifecycle/operation.ts';
import { failure, request, routeObject, watchInput, watchRig } from '../support/watching.ts';

type Rig = ReturnType<typeof watchRig>;
function breakCanary(rig: Rig): void {
  for (let n = 0; n < 60; n++) rig.hear(failure());
}
const untilOpen = async (rig: Rig): Promise<void> => void (await rig.opened);

describe('the fuse', () => {
  test('fires before anything else happens, heartbeat and message included, and its result comes back with the verdict', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput());
    await untilOpen(rig);
    rig.events.length = 0;
    breakCanary(rig);
    expect(rig.events.slice(0, 2)).toEqual(['restore', 'heartbeat']);
    const { verdict, fuse, counts } = await result;
    expect(verdict).toMatchObject({ kind: 'harmful', judge: 'objective' });
    expect(fuse?.result).toMatchObject({ kind: 'restored', exact: true });
    expect(rig.restores).toEqual([expect.objectContaining({ holder: { stage: 2 } })]);
    expect(counts.canary.failures).toBeGreaterThan(0);
    expect(rig.heartbeats.at(-1)).toMatchObject({ harmful: { kind: 'harmful' } });
  });

  test('fires on a canary without a ready endpoint', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput());
    await untilOpen(rig);
    rig.hear({ kind: 'readiness', at: Date.now(), service: 'backend-canary', ready: 0 });
    expect(await result).toMatchObject({ verdict: { kind: 'harmful', judge: 'readiness' }, fuse: { result: { kind: 'restored' } } });
  });

  test('tries again when the cluster does not take the write', async () => {
    const rig = watchRig();
    rig.failRestore(new ClusterFailure('Timeout', 'no answer'), new ClusterFailure('Unreachable', 'gone'));
    const { result } = rig.run(watchInput());
    await untilOpen(rig);
    breakCanary(rig);
    expect(await result).toMatchObject({ fuse: { result: { kind: 'restored' } } });
    expect(rig.events.filter((event) => event === 'restore')).toHaveLength(3);
  });

  test('that is refused again and again ends with the verdict alone, so that the undo of the operation goes on and tells people', async () => {
    const rig = watchRig();
    rig.failRestore(...Array.from({ length: 8 }, () => new ClusterFailure('Forbidden', 'may not')));
    const { result } = rig.run(watchInput());
    await untilOpen(rig);
    breakCanary(rig);
    const { verdict, fuse } = await result;
    expect([verdict.kind, fuse]).toEqual(['harmful', undefined]);
  }, 10_000);

  test('a stale one says superseded, as a value', async () => {
    const rig = watchRig();
    rig.supersede();
    const { result } = rig.run(watchInput());
    await untilOpen(rig);
    breakCanary(rig);
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'superseded', token: 'canary-t1/3' } } });
  });

  test('stays out of a watch after an undo', async () => {
    const rig = watchRig({ token: null, canaryWeight: 0 });
    const { result } = rig.run(watchInput({ purpose: 'restored' }));
    await untilOpen(rig);
    breakCanary(rig);
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' } });
    expect(rig.restores).toEqual([]);
  });

  test('fires although Temporal takes no heartbeats any more', async () => {
    const rig = watchRig();
    const { environment, result } = rig.run(watchInput());
    await untilOpen(rig);
    environment.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }));
    await new Promise(setImmediate);
    breakCanary(rig);
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'restored' } } });
  });

  test('once fired it finishes although the watch is cancelled, and the verdict is not lost', async () => {
    const rig = watchRig();
    rig.failRestore(new ClusterFailure('Timeout', 'no answer'));
    const { environment, result } = rig.run(watchInput());
    await untilOpen(rig);
    breakCanary(rig);
    environment.cancel('CANCELLED');
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'restored' } } });
  });
});

describe('the end of a soak', () => {
  test('waits for evidence that comes late by all that is known, and judges it', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ durationMs: 600 }));
    await untilOpen(rig);
    for (let n = 0; n < 20; n++) rig.hear(request());
    rig.hear({ kind: 'gap', at: Date.now(), node: 'node-1', reason: 'this process is busy', patienceMs: 45_000 });
    let over = false;
    void result.then(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(over).toBe(false);
    rig.hear({ kind: 'sight', at: Date.now(), node: 'node-1' });
    expect(await result).toMatchObject({ verdict: { kind: 'healthy' } });
  });

  test('is blind where that never comes', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ durationMs: 300 }));
    await untilOpen(rig);
    for (let n = 0; n < 20; n++) rig.hear(request());
    rig.hear({ kind: 'gap', at: Date.now(), node: 'node-1', reason: 'this process is busy', patienceMs: 700 });
    expect(await result).toMatchObject({ verdict: { kind: 'blind', reason: expect.stringContaining('node-1') } });
  });

  test('shows what is not seen and does not count beside the live numbers', async () => {
    const rig = watchRig();
    rig.unseen('node-9 (gone)');
    const { environment } = rig.run(watchInput({ settings: { watchHeartbeatMs: 1_000, editEveryMs: 50 } as never }));
    await untilOpen(rig);
    await expect.poll(() => rig.edits.at(-1)).toMatchObject({ unseen: 'node-9 (gone)' });
    environment.cancel('CANCELLED');
  });
});

describe('the evidence of the operation', () => {
  const evidence = { watch: 1, planned: { watches: 3, ms: 180_000 } };

  test('is handed over when the watch is cancelled: nobody waits for a verdict, but what was heard was heard', async () => {
    const rig = watchRig();
    const { environment, result } = rig.run(watchInput({ evidence }));
    await untilOpen(rig);
    for (let n = 0; n < 3; n++) rig.hear(request());
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    const { relieved, carried, counts, fuse } = await result;
    expect({ relieved, fuse, carried }).toMatchObject({
      relieved: true,
      fuse: undefined,
      carried: { version: 2, counts: { canary: { requests: 3 } } },
    });
    expect(counts.canary.requests).toBe(3);
    expect(JSON.stringify(carried).length).toBeLessThan(4_096);
  });

  test('goes on in the next watch: what failed before still counts', async () => {
    const until = async (carried?: object): Promise<{ failures: number; left: object | undefined }> => {
      const rig = watchRig();
      const input = watchInput({ evidence: { ...evidence, watch: carried ? 2 : 1, ...(carried && { carried: carried as never }) } });
      const { environment, result } = rig.run(input);
      await untilOpen(rig);
      for (let n = 0; n < (carried ? 60 : 2); n++) rig.hear(failure());
      if (!carried) environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
      const { counts, carried: left } = await result;
      return { failures: counts.canary.failures, left };
    };
    const { left } = await until();
    const { failures } = await until(left);
    expect(failures).toBeLessThan((await until({ version: 2 })).failures);
  });
});

describe('a later attempt', () => {
  test('goes on from the counts, the series and the time of the earlier one', async () => {
    const first = watchRig();
    const one = first.run(watchInput({ settings: { watchHeartbeatMs: 400, editEveryMs: 60_000 } as never }));
    await untilOpen(first);
    const at = Date.now();
    for (let n = 0; n < 20; n++) first.hear(request({ at: at + n }));
    await expect.poll(() => first.heartbeats.at(-1)).toMatchObject({ since: at + 19, judge: { canary: { requests: 20 } } });
    const { watchedTo } = first.heartbeats.at(-1) as { watchedTo: number };
    expect(Date.now() - watchedTo).toBeGreaterThanOrEqual(2_000);
    expect(Date.now() - watchedTo).toBeLessThan(10_000);
    one.environment.cancel('WORKER_SHUTDOWN');
    await expect(one.result).rejects.toBeInstanceOf(CancelledFailure);

    const second = watchRig();
    const two = second.run(watchInput({ durationMs: 400 }), JSON.parse(JSON.stringify(first.heartbeats.at(-1))));
    expect(await second.opened).toEqual({ since: at + 19, resumed: true });
    second.hear(request({ at: at + 30, side: 'stable' }));
    const { verdict, counts, startedAt, series } = await two.result;
    expect(verdict.kind).toBe('healthy');
    expect(counts).toEqual({ canary: { requests: 20, failures: 0 }, stable: { requests: 1, failures: 0 } });
    expect(startedAt).toBeLessThanOrEqual(at);
    expect(series.reduce((sum, point) => sum + point.canary.requests, 0)).toBe(20);
  });

  test('begins at the beginning where the earlier one had not heard what its sources still held, however long that took', async () => {
    const first = watchRig();
    first.holdOpen(new Promise(() => undefined));
    const one = first.run(watchInput({ settings: { watchHeartbeatMs: 400, editEveryMs: 60_000 } as never }));
    await expect.poll(() => first.heartbeats.length).toBeGreaterThan(3);
    one.environment.cancel('WORKER_SHUTDOWN');
    await expect(one.result).rejects.toBeInstanceOf(CancelledFailure);
    const second = watchRig();
    second.run(watchInput({ durationMs: 400 }), JSON.parse(JSON.stringify(first.heartbeats.at(-1))));
    expect(await second.opened).toMatchObject({ resumed: false });
  });

  test('fires again when the earlier one had decided and did not live to tell', async () => {
    const first = watchRig();
    const one = first.run(watchInput());
    await untilOpen(first);
    breakCanary(first);
    await one.result;
    const second = watchRig({ token: null, canaryWeight: 0 });
    const { result } = second.run(watchInput(), JSON.parse(JSON.stringify(first.heartbeats.at(-1))));
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'restored' } } });
    expect(second.restores).toHaveLength(1);
  });

  test('in the same process gives the result of one that fired and could not tell, and writes nothing more', async () => {
    const rig = watchRig();
    const first = rig.run(watchInput());
    await untilOpen(rig);
    const lost = JSON.parse(JSON.stringify(rig.heartbeats.at(-1)));
    breakCanary(rig);
    const told = await first.result;
    rig.live.route = routeObject(null, 0, 9, 'meshops');
    expect(await rig.run(watchInput(), lost, 2).result).toEqual(told);
    expect(rig.restores).toHaveLength(1);
  });

  test('in another process takes the undo of one that could not tell for what it is', async () => {
    const rig = watchRig({ token: null, canaryWeight: 0, manager: 'meshops' });
    expect(await rig.run(watchInput(), undefined, 2).result).toMatchObject({
      verdict: { kind: 'harmful', judge: 'earlier', words: expect.stringContaining('put everything back') },
      fuse: { result: { kind: 'restored' } },
    });
  });

  test('in the same process ends one that still watches', async () => {
    const rig = watchRig();
    const first = rig.run(watchInput());
    await untilOpen(rig);
    const second = rig.run(watchInput({ durationMs: 300 }), undefined, 2);
    await expect(first.result).rejects.toBeInstanceOf(CancelledFailure);
    expect(await second.result).toMatchObject({ verdict: { kind: 'no-traffic' } });
  });

  test('takes an undo that it hears of while it watches for what it is', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput(), undefined, 2);
    await untilOpen(rig);
    rig.live.route = routeObject(null, 0, 9, 'meshops');
    rig.followers.get('backend/backend')?.changed([rig.live.route]);
    expect(await result).toMatchObject({ verdict: { kind: 'harmful', judge: 'earlier' } });
  });

  test.each([
    ['a first attempt', 1, 0, 'meshops'],
    ['another hand put everything back', 2, 0, 'kubectl-edit'],
    ['something else stands there', 2, 30, 'meshops'],
  ])('%s: drift stays drift', async (_, attempt, canaryWeight, manager) => {
    const rig = watchRig({ token: null, canaryWeight, manager });
    expect(await rig.run(watchInput(), undefined, attempt).result).toMatchObject({ verdict: { kind: 'drift' } });
    expect(rig.restores).toEqual([]);
  });

  test('begins anew on heartbeats that it cannot read', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ durationMs: 200 }), { from: 'another build' });
    expect(await result).toMatchObject({ verdict: { kind: 'no-traffic' } });
  });
});

describe('drift', () => {
  test.each([
    ['a later stage has written', { token: 'canary-t1/3', canaryWeight: 10 }, 'canary-t1/3'],
    ['it was put back meanwhile', { token: null, canaryWeight: 10 }, 'absent'],
    ['somebody moved the weight', { canaryWeight: 30 }, '70'],
  ])('before watching, %s: a value, nothing is written', async (_, options, found) => {
    const rig = watchRig(options);
    const { verdict } = await rig.run(watchInput()).result;
    expect(verdict).toMatchObject({ kind: 'drift', words: expect.stringContaining(found) });
    expect(rig.restores).toEqual([]);
  });

  test('while watching, told with who did it; older news of the shared watch is none', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput());
    await untilOpen(rig);
    const follower = rig.followers.get('backend/backend');
    follower?.changed([routeObject(null, 0, 5)]);
    follower?.changed([routeObject('canary-t1/2', 10, 8)]);
    follower?.changed([routeObject('canary-t1/2', 40, 9)]);
    expect(await result).toMatchObject({
      verdict: { kind: 'drift', manager: 'kubectl-edit', field: '/spec/rules/0/backendRefs/0/weight' },
    });
    expect(rig.restores).toEqual([]);
  });
});

describe('a guard', () => {
  const guard = (change: Parameters<typeof watchInput>[0] = {}) =>
    watchInput({ purpose: 'after', guardMs: 60_000, relievable: true, ...change });

  test('that is relieved ends with what it has seen; what its worker stops goes on elsewhere', async () => {
    const rig = watchRig();
    const { environment, result } = rig.run(guard());
    await untilOpen(rig);
    for (let n = 0; n < 30; n++) rig.hear(request());
    rig.hear(failure());
    environment.cancel('CANCELLED');
    const seen = await result;
    expect(seen).toMatchObject({ relieved: true, judged: true, counts: { canary: { requests: 31, failures: 1 } } });
    expect(seen.spent).toBeCloseTo(1 - 0.31);
    const stopped = watchRig();
    const other = stopped.run(guard());
    await untilOpen(stopped);
    other.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    await expect(other.result).rejects.toBeInstanceOf(CancelledFailure);
  });

  test('ends as soon as the next watch of its operation is open, not before, and an older one relieves nobody', async () => {
    const rig = watchRig();
    const first = rig.run(guard(), undefined, 1, '7');
    await untilOpen(rig);
    const older = rig.run(guard(), undefined, 1, '6');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rig.heartbeats.length).toBeGreaterThan(0);
    rig.failOpen(new ClusterFailure('Unreachable', 'gone'));
    const next = rig.run(guard(), undefined, 1, '8');
    const ended = first.result.then(() => performance.now());
    await new Promise((resolve) => setTimeout(resolve, 200));
    const early = await Promise.race([ended, Promise.resolve(undefined)]);
    expect(early).toBeUndefined();
    expect(await first.result).toMatchObject({ relieved: true, judged: false });
    for (const one of [older, next]) one.environment.cancel('CANCELLED');
    await Promise.all([older.result, next.result]);
  });

  describe('that was taken over', () => {
    const takenOver = async (rig: Rig) => {
      const first = watchRig();
      const one = first.run(guard({ settings: { watchHeartbeatMs: 400, editEveryMs: 60_000 } as never }));
      await expect.poll(() => first.heartbeats.at(-1)).toMatchObject({ opened: true });
      one.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
      await expect(one.result).rejects.toBeInstanceOf(CancelledFailure);
      const opens = Promise.withResolvers<undefined>();
      rig.holdOpen(opens.promise);
      const { environment, result } = rig.run(guard(), JSON.parse(JSON.stringify(first.heartbeats.at(-1))));
      await expect.poll(() => rig.heartbeats.length).toBeGreaterThan(0);
      return { environment, result, open: () => opens.resolve(undefined) };
    };

    test('reads back what nobody saw before it lets itself be relieved: harm in it is undone', async () => {
      const rig = watchRig();
      const { environment, result, open } = await takenOver(rig);
      rig.holds(...Array.from({ length: 60 }, () => failure()));
      environment.cancel('CANCELLED');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await Promise.race([result, Promise.resolve('waits')])).toBe('waits');
      open();
      expect(await result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'restored' } } });
    });

    test('ends with what it has seen once that is read back, or cannot be for too long', async () => {
      const rig = watchRig();
      const { environment, result, open } = await takenOver(rig);
      rig.holds(request());
      environment.cancel('CANCELLED');
      open();
      expect(await result).toMatchObject({ relieved: true, counts: { canary: { requests: 1 } } });
      const silent = watchRig();
      const other = await takenOver(silent);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        other.environment.cancel('CANCELLED');
        await vi.advanceTimersByTimeAsync(19_000);
        expect(await Promise.race([other.result, Promise.resolve('waits')])).toBe('waits');
        await vi.advanceTimersByTimeAsync(1_000);
        expect(await other.result).toMatchObject({ relieved: true });
      } finally {
        vi.useRealTimers();
      }
    });
  });

  test('that cannot open its sources is blind and opens them again, within one activity', async () => {
    const rig = watchRig();
    rig.failOpen(...Array.from({ length: 4 }, () => new ClusterFailure('Unreachable', 'connection refused')));
    const { result } = rig.run(guard({ settings: { watchHeartbeatMs: 1_000, editEveryMs: 50, objective: 0.01 } as never }));
    await expect
      .poll(() => rig.edits.at(-1), { timeout: 6_000 })
      .toMatchObject({ word: { words: expect.stringContaining('connection refused') } });
    await untilOpen(rig);
    await expect.poll(() => rig.edits.at(-1)).toMatchObject({ seenSince: expect.any(Number) });
    breakCanary(rig);
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'restored' } } });
  });

  test('of a stage that is being written takes what is in between for no drift', async () => {
    const rig = watchRig({ token: 'canary-t1/1', canaryWeight: 0 });
    const { result } = rig.run(guard({ applying: true }));
    await untilOpen(rig);
    breakCanary(rig);
    expect(await result).toMatchObject({ verdict: { kind: 'harmful' } });
  });

  test('while people are asked about drift shows what differs now, and when it has gone', async () => {
    const rig = watchRig({ canaryWeight: 40 });
    rig.run(guard({ drifted: true, settings: { watchHeartbeatMs: 1_000, editEveryMs: 20, objective: 0.01 } as never }));
    await untilOpen(rig);
    const follower = rig.followers.get('backend/backend');
    follower?.changed([routeObject('canary-t1/2', 40, 8)]);
    await expect.poll(() => rig.edits.at(-1)).toMatchObject({ drift: [{ found: '60' }, { found: '40', manager: 'kubectl-edit' }] });
    follower?.changed([routeObject('canary-t1/2', 10, 9)]);
    await expect.poll(() => rig.edits.at(-1)).toMatchObject({ drift: [] });
  });
});

describe('the rest of a watch', () => {
  test('ends healthy with enough good requests', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ durationMs: 300 }));
    await untilOpen(rig);
    for (let n = 0; n < 20; n++) rig.hear(request());
    expect(await result).toMatchObject({ verdict: { kind: 'healthy' }, counts: { canary: { requests: 20 } } });
  });

  test('a stage that goes blind ends with that; a watch after it keeps its fuse armed', async () => {
    const gap = { kind: 'gap', at: Date.now(), node: 'node-2', reason: 'HUBBLE_RING_BUFFER', lost: 12 } as const;
    const stage = watchRig();
    const one = stage.run(watchInput());
    await untilOpen(stage);
    stage.hear(gap);
    expect(await one.result).toMatchObject({ verdict: { kind: 'blind' } });
    const after = watchRig();
    const two = after.run(watchInput({ purpose: 'after' }));
    await untilOpen(after);
    after.hear(gap);
    breakCanary(after);
    expect(await two.result).toMatchObject({ verdict: { kind: 'harmful' }, fuse: { result: { kind: 'restored' } } });
  });

  test('events that were lost are remembered to its end: nobody can call that time healthy', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ purpose: 'after', durationMs: 400 }));
    await untilOpen(rig);
    for (let n = 0; n < 20; n++) rig.hear(request());
    rig.hear({ kind: 'gap', at: Date.now(), node: 'node-2', reason: 'HUBBLE_RING_BUFFER', lost: 50_000 });
    rig.hear({ kind: 'sight', at: Date.now(), node: 'node-2' });
    for (let n = 0; n < 20; n++) rig.hear(request());
    expect(await result).toMatchObject({ verdict: { kind: 'blind', words: expect.stringMatching(/50,?000 events/) } });
  });

  test('cancelled by the workflow it rejects with that, and nothing is written', async () => {
    const rig = watchRig();
    const { environment, result } = rig.run(watchInput());
    await untilOpen(rig);
    environment.cancel('CANCELLED');
    await expect(result).rejects.toBeInstanceOf(CancelledFailure);
    expect(rig.restores).toEqual([]);
  });

  test('shows live numbers, and an error there stops nothing', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ durationMs: 500, settings: { watchHeartbeatMs: 1_000, editEveryMs: 50 } as never }));
    await untilOpen(rig);
    for (let n = 0; n < 12; n++) rig.hear(request({ side: n < 3 ? 'canary' : 'stable' }));
    await result;
    expect(rig.edits.length).toBeGreaterThan(2);
    expect(rig.edits.at(-1)).toMatchObject({ canaryShare: 0.25, counts: { stable: { requests: 9 } } });
  });

  test('shows whose requests they were also where everybody is judged alike', async () => {
    const rig = watchRig();
    const view = { opId: 'canary-t1', restored: true } as OperationView;
    const { result } = rig.run(watchInput({ durationMs: 300, purpose: 'restored', view }));
    await untilOpen(rig);
    for (let n = 0; n < 30; n++) rig.hear(request({ of: 'stable' }));
    const { series, counts } = await result;
    expect(counts.canary.requests).toBe(30);
    expect(series.reduce((sum, point) => sum + point.canary.requests, 0)).toBe(0);
    expect(series.reduce((sum, point) => sum + point.stable.requests, 0)).toBe(30);
    expect(series.every((point) => !('percent' in point))).toBe(true);
  });

  test('what the ring tells of the time before is judged, and is no point of the chart', async () => {
    const rig = watchRig();
    const from = Date.now() - 30_000;
    const { result } = rig.run(watchInput({ durationMs: 300, chartFrom: from }));
    await untilOpen(rig);
    for (const at of [from - 60_000, from - 1, from, from + 1_000]) rig.hear(request({ at, side: 'stable' }));
    const { series, counts } = await result;
    expect(counts.stable.requests).toBe(4);
    expect(series.reduce((sum, point) => sum + point.stable.requests, 0)).toBe(2);
  });

  test('keeps at most 120 points, and loses no request in merging them', async () => {
    const rig = watchRig();
    const { result } = rig.run(watchInput({ durationMs: 300 }));
    await untilOpen(rig);
    const at = Date.now();
    for (let n = 0; n < 1_000; n++) rig.hear(request({ at: at + n * 2_000, side: 'stable' }));
    const { series } = await result;
    expect(series.length).toBeLessThanOrEqual(120);
    expect(series.reduce((sum, point) => sum + point.stable.requests, 0)).toBe(1_000);
    expect(new Set(series.map((point) => point.ms)).size).toBe(1);
  });
});
