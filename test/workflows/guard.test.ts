import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import type { ApplyInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import {
  blind,
  counts,
  decisionOn,
  FakeMesh,
  fakes,
  harmful,
  healthy,
  operator,
  quietGuard,
  request,
  reviewer,
  settings,
  type Watching,
  watched,
} from '../support/operations.ts';
import { type FakeActivity, type Reply, Simulator } from '../support/simulator.ts';

const KEY = 'HTTPRoute/backend/backend';
const WEIGHT = '/spec/rules/0/backendRefs/1/weight';
const DAY_MS = 24 * 3_600_000;
const drift: Verdict = {
  kind: 'drift',
  counts: counts(40, 0),
  object: KEY,
  field: WEIGHT,
  manager: 'kubectl-edit',
  words: 'kubectl-edit changed the weight to 50.',
};
const outcomeOf = (simulator: Simulator): Outcome => simulator.result as Outcome;
const viewOf = async (simulator: Simulator): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
function watchesOf(simulator: Simulator): readonly WatchInput[] {
  return simulator.calls.filter(({ activity }) => activity === 'canary.watch').map((call): WatchInput => call.input);
}

/** A mesh that another hand may change; every watch that compares sees it at once, and every question shows it. */
class Shared extends FakeMesh {
  foreign: number | undefined;
  harmed = false;

  watch: Watching = (input) => {
    if (this.harmed && input.purpose !== 'restored') return this.#fuse(input);
    if (this.foreign !== undefined && !input.drifted && !input.applying) return watched(this, input, drift);
    return input.guardMs === undefined ? watched(this, input, healthy) : quietGuard(input);
  };

  #fuse(input: WatchInput): Reply {
    this.foreign = undefined;
    return watched(this, input, harmful);
  }

  override apply(input: ApplyInput): Reply {
    if (input.stage.number > 0) this.foreign = undefined;
    return super.apply(input);
  }

  activities(percents: readonly number[]): Record<string, FakeActivity> {
    const all = fakes(this, percents, this.watch);
    return {
      ...all,
      inspect: (input) => {
        const { stage } = input as { stage: ApplyInput['stage'] };
        const [write] = stage.writes;
        const expected = write?.after ?? {};
        const found = { ...expected, [WEIGHT]: this.foreign ?? this.percent };
        const differences =
          this.foreign === undefined
            ? []
            : [{ object: KEY, field: WEIGHT, expected: String(this.percent), found: String(this.foreign), manager: 'kubectl-edit' }];
        const { token, generation } = this;
        return {
          value: { differences, found: { [KEY]: { object: write?.object, uid: 'uid-1', expected, fields: found, token, generation } } },
        };
      },
    };
  }
}

/** Gates before the first stage and above 5%. */
const GATES = [0, 0.05].map((above) => ({
  above,
  approvers: { usergroups: ['S0REVIEWERS'], emails: [] },
  quorum: 1,
  expiryMs: 3 * DAY_MS,
}));

async function started(mesh: Shared, activities: Record<string, FakeActivity>, change: Parameters<typeof request>[0] = {}) {
  const asked = request({ settings: settings({ gates: GATES }), ...change });
  const simulator = await Simulator.start('canary', asked, activities);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  return simulator;
}

/** 5% is in force and healthy; 25% waits at its gate. */
async function atSecondGate(mesh: Shared, change: Parameters<typeof request>[0] = {}) {
  const simulator = await started(mesh, mesh.activities([5, 25]), change);
  await simulator.advance(70_000);
  expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting', gate: { kind: 'approval' } });
  return simulator;
}

/** The running guard reports what it sees now: the fake has none of its own, so the next one is asked. */
async function changed(simulator: Simulator, change: () => void) {
  change();
  await simulator.wake('canary.watch');
  await simulator.advance(1_500);
}

describe('drift while a gate is open', () => {
  it('is asked about at once; written over, the gate opens again for the same plan, and the operation goes on', async () => {
    const mesh = new Shared();
    const simulator = await atSecondGate(mesh);
    await changed(simulator, () => (mesh.foreign = 50));
    expect(await viewOf(simulator)).toMatchObject({
      phase: 'holding',
      gate: { kind: 'drift' },
      drift: [{ expected: '5', found: '50', manager: 'kubectl-edit' }],
    });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'restore'));
    await simulator.advance(1_000);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting', gate: { kind: 'approval' } });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
    expect(mesh).toMatchObject({ percent: 25, applied: ['5%', '5%', '25%'] });
  });

  it('leaves the fuse armed while people are asked', async () => {
    const mesh = new Shared();
    const simulator = await atSecondGate(mesh);
    await changed(simulator, () => (mesh.foreign = 50));
    await changed(simulator, () => (mesh.harmed = true));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful' });
    expect(mesh).toMatchObject({ percent: 0, token: null });
    expect((await viewOf(simulator)).stages).toMatchObject([{ state: 'harmful' }, { state: 'skipped' }]);
  });

  it('adopted, it is planned and asked anew from there', async () => {
    const mesh = new Shared();
    const simulator = await atSecondGate(mesh);
    await changed(simulator, () => (mesh.foreign = 50));
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'adopt'));
    await simulator.advance(1_000);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting', gate: { kind: 'approval' } });
    expect(mesh.percent).toBe(50);
    expect(simulator.calls.filter(({ activity }) => activity === 'canary.plan')).toHaveLength(3);
  });

  it('that nobody answers is left, and what is our own goes back', async () => {
    const mesh = new Shared();
    const simulator = await atSecondGate(mesh);
    await changed(simulator, () => (mesh.foreign = 50));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'drifted', code: 'HoldExpired' });
  });
});

describe('drift while something else is waited for', () => {
  it('a hold: asked about, and then about the hold again', async () => {
    const mesh = new Shared();
    const activities = mesh.activities([10]);
    const inner = activities['canary.watch'];
    let held = false;
    activities['canary.watch'] = (input, context) => {
      if ((input as WatchInput).purpose !== 'stage' || held) return inner?.(input, context) ?? { never: true };
      held = true;
      return watched(mesh, input, blind);
    };
    const simulator = await started(mesh, activities);
    await simulator.advance(5_000);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'holding', gate: { kind: 'hold' } });
    await changed(simulator, () => (mesh.foreign = 50));
    expect(await viewOf(simulator)).toMatchObject({ gate: { kind: 'drift' } });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'restore'));
    await simulator.advance(1_000);
    const view = await viewOf(simulator);
    expect(view).toMatchObject({ phase: 'holding', gate: { kind: 'hold', stage: 2 }, verdict: { kind: 'blind' } });
    expect(view.stages).toMatchObject([{ number: 2, state: 'held' }]);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'extend'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
  });

  it('a freeze: asked about, harm is undone, and written over the operation goes on waiting', async () => {
    const freeze = { scope: 'demo', reason: 'release', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.UTC(2026, 0, 1) + DAY_MS };
    const mesh = new Shared();
    const activities = { ...mesh.activities([5, 10]), frozen: () => ({ value: mesh.percent === 5 ? freeze : null }) };
    const simulator = await started(mesh, activities, { settings: settings() });
    await simulator.advance(90_000);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'holding', frozen: { scope: 'demo' } });
    await changed(simulator, () => (mesh.foreign = 50));
    expect(await viewOf(simulator)).toMatchObject({ gate: { kind: 'drift' }, drift: [{ found: '50' }] });
    await changed(simulator, () => (mesh.harmed = true));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful', restoredExactly: true });
    expect(mesh).toMatchObject({ percent: 0, token: null });
  });
});

describe('a guard', () => {
  it('of three days, blind all the time, is a handful of events', async () => {
    const mesh = new Shared();
    const simulator = await atSecondGate(mesh);
    await simulator.advance(3 * DAY_MS - 200_000);
    expect(await viewOf(simulator)).toMatchObject({ phase: 'waiting' });
    expect(simulator.history.events).toBeLessThan(2_000);
    expect(simulator.history.bytes).toBeLessThan(2 * 2 ** 20);
  });

  it('is there from the first write on: harm is undone although the controller never says that the stage is in force', async () => {
    const mesh = new Shared();
    const activities = fakes(mesh, [10], () => ({ never: true }), { applying: (input) => watched(mesh, input, harmful) });
    activities['canary.realised'] = () => ({ never: true });
    const simulator = await started(mesh, activities);
    const at = simulator.now;
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful', restoredExactly: true });
    expect(simulator.now - at).toBeLessThan(10_000);
    expect((await viewOf(simulator)).stages).toMatchObject([{ state: 'harmful' }]);
    expect(watchesOf(simulator)[0]).toMatchObject({ applying: true, stage: { number: 1 }, fuse: { holder: { stage: 1, since: 0 } } });
  });

  it('that was relieved and had found harm all the same undoes the operation', async () => {
    const mesh = new Shared();
    const found = (input: WatchInput): Reply => {
      const { value } = watched(mesh, { ...input }, healthy) as { value?: object };
      return { never: true, whenCancelled: () => ({ ...value, ...(watched(mesh, input, harmful) as { value: object }).value }) };
    };
    const activities = fakes(mesh, [10], () => ({ never: true }), { applying: found });
    const simulator = await started(mesh, activities);
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful' });
    expect(mesh.percent).toBe(0);
  });

  it('that cannot do its work leaves nothing exposed', async () => {
    const mesh = new Shared();
    const activities = fakes(mesh, [10], () => ({ never: true }), { applying: () => ({ fails: 'the right to read is gone' }) });
    const simulator = await started(mesh, activities);
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'failed', words: expect.stringContaining('the right to read is gone') });
    expect(mesh.percent).toBe(0);
  });
});

describe('what the watches of one operation share', () => {
  const used = (spent: number, judged: boolean, input: WatchInput): Reply => {
    const { value, ...rest } = watched(new FakeMesh(), { ...input, guardMs: undefined } as never, healthy) as { value: object };
    const told = { ...value, spent, judged };
    return input.guardMs === undefined ? { ...rest, value: told } : { never: true, whenCancelled: { ...told, relieved: true } };
  };

  it('one budget: what each has used is known to the next, guards and the afterwatch included', async () => {
    const mesh = new Shared();
    const activities = fakes(mesh, [5, 25], (input) => used(1, true, input), { applying: (input) => used(0.5, true, input) });
    const simulator = await started(mesh, activities);
    await simulator.advance(70_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
    const spent = watchesOf(simulator).map((input) => [input.purpose, input.guardMs === undefined ? '' : 'guard', input.spent]);
    // A guard that is relieved says what it has used a moment after its successor has begun.
    expect(spent).toEqual([
      ['after', 'guard', 0],
      ['stage', '', 0],
      ['after', 'guard', 1.5],
      ['after', 'guard', 1.5],
      ['stage', '', 2.5],
      ['after', '', 4],
    ]);
  });

  it('one test of the stages, with nine tenths of alpha: each watch goes on from what the one before has left', async () => {
    const mesh = new Shared();
    const simulator = await started(
      mesh,
      fakes(mesh, [5, 10], (input) => used(0, true, input)),
      { settings: settings() },
    );
    await simulator.run();
    const watches = watchesOf(simulator).filter(({ guardMs }) => guardMs === undefined);
    expect(watches.map(({ alpha }) => alpha)).toEqual(watches.map(() => settings().alpha * 0.9));
    expect(watches.map(({ evidence }) => [evidence?.watch, evidence?.carried])).toEqual([
      [1, undefined],
      [2, { version: 2, watch: 1 }],
      [3, { version: 2, watch: 2 }],
    ]);
    expect(new Set(watches.map(({ evidence }) => JSON.stringify(evidence?.planned))).size).toBe(1);
  });

  it('a share of alpha is spent only by a guard that judged something', async () => {
    const alphasOf = async (judged: boolean) => {
      const mesh = new Shared();
      const activities = fakes(mesh, [5, 10], (input) => used(0, judged, input), { applying: (input) => used(0, judged, input) });
      const simulator = await started(mesh, activities, { settings: settings() });
      await simulator.run();
      return watchesOf(simulator)
        .filter(({ guardMs }) => guardMs !== undefined)
        .map(({ alpha }) => alpha);
    };
    const [first, second] = await alphasOf(true);
    expect(second).toBeCloseTo((first ?? 0) / 4, 10);
    expect(await alphasOf(false)).toContain(first);
    expect(Math.min(...(await alphasOf(false)))).toBeGreaterThan(Math.min(...(await alphasOf(true))));
  });

  it('never more than alpha in all, however many there are', async () => {
    const mesh = new Shared();
    const held = (input: WatchInput): Reply => (input.guardMs === undefined ? watched(mesh, input, blind) : quietGuard(input));
    const simulator = await started(mesh, fakes(mesh, [10], held));
    for (let n = 0; n < 15; n += 1) {
      await simulator.advance(5_000);
      await simulator.update('decide', await decisionOn(simulator, operator, 'extend'));
    }
    const all = watchesOf(simulator);
    expect(all.length).toBeGreaterThan(30);
    const guards = all.flatMap(({ guardMs, alpha }) => (guardMs === undefined ? [] : alpha));
    const [stages] = new Set(all.flatMap(({ guardMs, alpha }) => (guardMs === undefined ? alpha : [])));
    expect(guards.reduce((sum, alpha) => sum + alpha, stages ?? 1)).toBeLessThan(0.001);
    expect(all.every(({ guardMs, evidence }) => (guardMs === undefined) === (evidence !== undefined))).toBe(true);
  });

  it('the chart: it begins half a minute before the first write, and no watch brings again what an earlier one has brought', async () => {
    const mesh = new Shared();
    const simulator = await started(
      mesh,
      fakes(mesh, [5, 10], (input) => watched(mesh, input, healthy)),
      { settings: settings() },
    );
    await simulator.run();
    const wroteAt = simulator.calls.find(({ activity }) => activity === 'canary.apply')?.at ?? 0;
    const watches = simulator.calls.filter(({ activity }) => activity === 'canary.watch');
    const from = watches.map(({ input, at }) => [(input as WatchInput).chartFrom ?? 0, at] as const);
    expect(Math.abs((from[0]?.[0] ?? 0) - (wroteAt - 30_000))).toBeLessThan(100);
    expect(from.length).toBeGreaterThan(3);
    for (const [begins, at] of from.slice(1)) expect(begins).toBe(at);
  });

  it('the chart: so many points at most, in the order of time, whatever the watches brought', async () => {
    const mesh = new Shared();
    const side = { requests: 1, failures: 0 };
    const withPoints = (input: WatchInput): Reply => {
      if (input.guardMs !== undefined) return quietGuard(input);
      const { value, ...rest } = watched(mesh, input, blind) as { value: object };
      const at = input.chartFrom ?? 0;
      const series = Array.from({ length: 120 }, (_, n) => ({ at: at + n, ms: 1, stage: 1, percent: 10, canary: side, stable: side }));
      return { ...rest, value: { ...value, series: series.toReversed() } };
    };
    const simulator = await started(mesh, fakes(mesh, [10], withPoints));
    for (let n = 0; n < 20; n += 1) {
      await simulator.advance(5_000);
      await simulator.update('decide', await decisionOn(simulator, operator, 'extend'));
    }
    await simulator.signal('abort', { actor: operator });
    await simulator.run();
    const chart = simulator.calls.find(({ activity }) => activity === 'chart')?.input as
      | { series: readonly { at: number; canary: typeof side }[] }
      | undefined;
    const points = chart?.series ?? [];
    expect(points.length).toBeGreaterThan(20);
    expect(points.length).toBeLessThanOrEqual(360);
    expect(points.map(({ at }) => at)).toEqual(points.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(points.reduce((sum, { canary }) => sum + canary.requests, 0)).toBe(20 * 120);
  });
});
