import { describe, expect, it } from 'vitest';
import type { PlanInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationRequest, OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';
import { decisionOn, FakeMesh, fakes, harmful, healthy, operator, request, reviewer, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const outcomeOf = (simulator: Simulator): Outcome => simulator.result as Outcome;
const view = async (simulator: Simulator): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
const HOUR = 3_600_000;

/** A mesh that an operation has left at `percent`, and the way back from there as its plan would be. */
async function back(
  percent: number,
  plan: Partial<Plan> & { readonly to?: string },
  {
    percents = [0],
    activities = {},
    change = {},
  }: { percents?: readonly number[]; activities?: Record<string, FakeActivity>; change?: Partial<OperationRequest> } = {},
) {
  const mesh = new FakeMesh();
  mesh.percent = percent;
  const asked = request({ change: { kind: 'back' }, text: 'rollback backend', ...change });
  const planning = (input: PlanInput) => {
    const made = mesh.plan(input, percents);
    const unwatched = plan.lowers ? { soakMs: 0 } : {};
    return { value: { kind: 'plan', plan: { ...made, ...plan, stages: made.stages.map((stage) => ({ ...stage, ...unwatched })) } } };
  };
  const simulator = await Simulator.start('canary', asked, {
    ...fakes(mesh, percents, (input) => watched(mesh, input, healthy)),
    'canary.plan': planning as FakeActivity,
    ...activities,
  });
  await simulator.update('begin', asked);
  return { mesh, simulator, asked };
}

const ago = (ms: number) => ({ of: 'canary-1', completedAt: Date.UTC(2026, 0, 1) - ms });

describe('a way back', () => {
  it('that lowers goes at once within a day, with the rules of its verb in force', async () => {
    const { mesh, simulator } = await back(10, { lowers: true, back: ago(HOUR) });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'completed' });
    expect(mesh.percent).toBe(0);
    expect(simulator.calls.some(({ activity }) => activity === 'resolveApprovers')).toBe(false);
  });

  it('says that nobody watched, and never that the traffic stayed healthy', async () => {
    const { simulator } = await back(10, { lowers: true, back: ago(HOUR) });
    await simulator.run();
    expect(outcomeOf(simulator).words).toMatch(/not watched/);
    expect(outcomeOf(simulator).words).not.toMatch(/healthy/);
  });

  it('takes the gate of its verb when it comes later than the rule says', async () => {
    const { mesh, simulator } = await back(10, { lowers: true, back: ago(25 * HOUR) });
    await simulator.advance(1_000);
    expect(await view(simulator)).toMatchObject({ phase: 'waiting', gate: { kind: 'approval' } });
    expect(mesh.percent).toBe(10);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(mesh.percent).toBe(0);
  });

  it('takes as long without a gate as its rule says', async () => {
    const gates = settings().gates.map((rule) => ({ ...rule, rollbackWithinMs: 10 * 60_000 }));
    const { simulator } = await back(10, { lowers: true, back: ago(HOUR) }, { change: { settings: settings({ gates }) } });
    await simulator.advance(1_000);
    expect(await view(simulator)).toMatchObject({ phase: 'waiting' });
  });

  it('that raises takes the gate and the watch of a forward change', async () => {
    const { mesh, simulator } = await back(10, { lowers: false, back: ago(HOUR) }, { percents: [25, 50] });
    await simulator.advance(1_000);
    expect(await view(simulator)).toMatchObject({ phase: 'waiting' });
    expect(mesh.percent).toBe(10);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(mesh.applied).toEqual(['25%', '50%']);
    expect(
      simulator.calls
        .filter(({ activity }) => activity === 'canary.watch')
        .map(({ input }) => input as { purpose: string; applying?: boolean })
        // Without those that guard a write.
        .filter(({ applying }) => !applying)
        .map(({ purpose }) => purpose),
    ).toEqual(['stage', 'stage', 'after']);
  });

  it('that raises is stopped by a freeze; one that lowers is not', async () => {
    const freeze = { scope: 'demo', reason: 'weekend', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.UTC(2026, 0, 1) + HOUR };
    const activities = { frozen: () => ({ value: freeze }) };
    const raising = await back(10, { lowers: false, back: ago(HOUR) }, { percents: [50], activities });
    await raising.simulator.run();
    expect(outcomeOf(raising.simulator)).toMatchObject({ kind: 'impossible', code: 'Frozen' });
    const lowering = await back(10, { lowers: true, back: ago(HOUR) }, { activities });
    await lowering.simulator.run();
    expect(lowering.mesh.percent).toBe(0);
  });

  it('asks first where whoever gains has nobody to answer, and anybody may say so where no rule names people', async () => {
    const { mesh, simulator } = await back(
      10,
      { lowers: true, back: ago(HOUR), ask: 'backend has no ready endpoint' },
      { change: { settings: settings({ gates: [] }) } },
    );
    await simulator.advance(1_000);
    expect(await view(simulator)).toMatchObject({ phase: 'waiting', gate: { quorum: 0 } });
    expect(mesh.percent).toBe(10);
    await simulator.update('decide', await decisionOn(simulator, operator, 'approve'));
    await simulator.run();
    expect(mesh.percent).toBe(0);
  });

  it('is not ended by a second rollback', async () => {
    const { mesh, simulator } = await back(
      10,
      { lowers: true, back: ago(HOUR) },
      { activities: { 'canary.realised': () => ({ value: { kind: 'realised', afterMs: 1 }, afterMs: 5_000 }) } },
    );
    await simulator.advance(1_000);
    expect(mesh.percent).toBe(0);
    await simulator.signal('abort', { actor: reviewer, rollback: true });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'completed' });
    expect(mesh.percent).toBe(0);
  });

  it.each([0, 1, 2, 3, 4, 1_000])('aborted %i ms after it began never puts back in force what it has taken away', async (after) => {
    const { mesh, simulator } = await back(
      10,
      { lowers: true, back: ago(HOUR) },
      { activities: { 'canary.realised': () => ({ value: { kind: 'realised', afterMs: 1 }, afterMs: 5_000 }) } },
    );
    await simulator.advance(after);
    const before = mesh.percent;
    await simulator.signal('abort', { actor: reviewer });
    await simulator.run();
    expect(mesh.percent).toBeLessThanOrEqual(before);
    expect(outcomeOf(simulator).kind).toBe('aborted');
    if (before === 0) expect(outcomeOf(simulator).words).not.toMatch(/as it was before|Nothing was changed/);
  });

  it('that the controller does not confirm stays written', async () => {
    const { mesh, simulator } = await back(
      10,
      { lowers: true, back: ago(HOUR) },
      { activities: { 'canary.realised': () => ({ value: { kind: 'not-realised', words: 'no word from the gateway' } }) } },
    );
    await simulator.run();
    expect(mesh.percent).toBe(0);
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'completed', words: expect.stringContaining('no word from the gateway') });
  });

  it('that is watched has no fuse behind it: what is seen is said, and ends nothing', async () => {
    const mesh = new FakeMesh();
    mesh.percent = 50;
    const asked = request({ change: { kind: 'shift', percent: 10 } });
    const simulator = await Simulator.start('canary', asked, {
      ...fakes(mesh, [10], (input) => {
        const { value } = watched(mesh, { ...input, fuse: { ...input.fuse, originals: [] } }, healthy) as { value: object };
        return { value: { ...value, verdict: harmful }, afterMs: 1_000 };
      }),
      'canary.plan': ((input: PlanInput) => ({
        value: { kind: 'plan', plan: { ...mesh.plan(input, [10]), lowers: true } },
      })) as FakeActivity,
    });
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(mesh.percent).toBe(10);
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'completed', words: expect.stringContaining('9 of 20 canary requests failed') });
  });
});

describe('a rollback of what runs', () => {
  it('ends it as rolled back, by whom and why', async () => {
    const mesh = new FakeMesh();
    const asked = request();
    const simulator = await Simulator.start(
      'canary',
      asked,
      fakes(mesh, [10], () => ({ never: true })),
    );
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    await simulator.signal('abort', { actor: operator, reason: 'customers complain', rollback: true });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'RolledBack', restoredExactly: true });
    expect(outcomeOf(simulator).words).toContain('Rolled back by Operator: customers complain.');
  });

  it('that has written nothing ends it as aborted, since nothing was there to roll back', async () => {
    const mesh = new FakeMesh();
    const asked = request();
    const simulator = await Simulator.start(
      'canary',
      asked,
      fakes(mesh, [10], () => ({ never: true })),
    );
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.signal('abort', { actor: operator, rollback: true });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'aborted', words: expect.stringContaining('Nothing was changed') });
  });
});

describe('the end', () => {
  it('says what was read back: what was written, or what was there before', async () => {
    const { simulator } = await back(10, { lowers: true, back: ago(HOUR), to: 'backend 100%, backend-canary 0%' });
    await simulator.run();
    expect(outcomeOf(simulator).now).toBe('backend 100%, backend-canary 0%');
    const mesh = new FakeMesh();
    const asked = request();
    const bad = await Simulator.start(
      'canary',
      asked,
      fakes(mesh, [10], (input) => watched(mesh, input, harmful)),
    );
    await bad.update('begin', asked);
    await bad.advance(1_000);
    await bad.update('decide', await decisionOn(bad, reviewer, 'approve'));
    await bad.run();
    expect(outcomeOf(bad)).toMatchObject({ kind: 'rolled-back', now: 'backend 100%, exactly as before' });
  });

  it('says what is different from what was written, and that it is not known where nobody answers', async () => {
    const other = { object: 'HTTPRoute backend/backend', field: 'weight', expected: '0', found: '25' };
    const changed = await back(
      10,
      { lowers: true, back: ago(HOUR) },
      { activities: { inspect: () => ({ value: { differences: [other], found: {} } }) } },
    );
    await changed.simulator.run();
    expect(outcomeOf(changed.simulator).now).toBe('not what was written: HTTPRoute backend/backend weight is 25, not 0');
    const silent = await back(10, { lowers: true, back: ago(HOUR) }, { activities: { inspect: () => ({ fails: 'no answer' }) } });
    await silent.simulator.run();
    expect(outcomeOf(silent.simulator)).toMatchObject({ kind: 'completed', now: expect.stringContaining('not known') });
  });
});
