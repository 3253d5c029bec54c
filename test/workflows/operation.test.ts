import { describe, expect, it } from 'vitest';
import type { PlanInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import {
  blind,
  decisionOn,
  FakeMesh,
  fakes,
  harmful,
  healthy,
  operator,
  request,
  reviewer,
  reviewer2,
  settings,
  type Watching,
  watched,
} from '../support/operations.ts';
import { Simulator } from '../support/simulator.ts';

function always(mesh: FakeMesh): Watching {
  return (input) => watched(mesh, input, healthy);
}

async function begun(mesh: FakeMesh, percents: readonly number[], watching: Watching, change: Parameters<typeof request>[0] = {}) {
  const asked = request(change);
  const simulator = await Simulator.start('canary', asked, fakes(mesh, percents, watching));
  const begin = await simulator.update('begin', asked);
  return { simulator, begin, asked };
}

async function approved(mesh: FakeMesh, percents: readonly number[], watching: Watching, change: Parameters<typeof request>[0] = {}) {
  const start = await begun(mesh, percents, watching, change);
  await start.simulator.advance(1_000);
  await start.simulator.update('decide', await decisionOn(start.simulator, reviewer, 'approve'));
  return start;
}

const outcomeOf = (simulator: Simulator): Outcome => simulator.result as Outcome;

describe('the lifecycle of an operation', () => {
  it('ends as approved when every stage is healthy', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [5, 10], always(mesh));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'completed' });
    expect(mesh).toMatchObject({ percent: 10, applied: ['5%', '10%'] });
  });

  it('changes nothing before an approver has agreed, and nothing at all when nobody does', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun(mesh, [10], always(mesh));
    await simulator.advance(599_000);
    expect(mesh.applied).toEqual([]);
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'expired', words: expect.stringContaining('Nothing was changed') });
    expect(mesh.applied).toEqual([]);
  });

  it('does not let the requester approve their own request, nor a stranger', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun(mesh, [10], always(mesh));
    await simulator.advance(1_000);
    const own = simulator.update('decide', await decisionOn(simulator, operator, 'approve'));
    await expect(own).rejects.toMatchObject({ name: 'SelfApproval' });
    const stranger = { ...reviewer, id: 'guest@example.com' };
    await expect(simulator.update('decide', await decisionOn(simulator, stranger, 'approve'))).rejects.toMatchObject({
      name: 'NotAnApprover',
    });
    expect(mesh.applied).toEqual([]);
  });

  it('refuses a decision on another plan, another gate and another run', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun(mesh, [10], always(mesh));
    await simulator.advance(1_000);
    const attempt = async (change: object) => simulator.update('decide', await decisionOn(simulator, reviewer, 'approve', change));
    await expect(attempt({ planHash: 'f'.repeat(16) })).rejects.toMatchObject({ name: 'StalePlan' });
    await expect(attempt({ planHash: '' })).rejects.toMatchObject({ name: 'StalePlan' });
    await expect(attempt({ gateId: 'g9' })).rejects.toMatchObject({ name: 'StaleGate' });
    await expect(attempt({ runId: 'another' })).rejects.toMatchObject({ name: 'StaleGate' });
  });

  it('asks again when the route has changed between the plan and the approval', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun(mesh, [10], always(mesh));
    await simulator.advance(1_000);
    const stale = await decisionOn(simulator, reviewer, 'approve');
    mesh.generation += 1;
    await simulator.update('decide', stale);
    await simulator.advance(1_000);
    expect(mesh.applied).toEqual([]);
    expect(
      simulator.calls.filter((call) => call.activity === 'say').map((call) => (call.input as { note: { kind: string } }).note.kind),
    ).toContain('plan-changed');
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
  });

  it('puts everything back when a stage is harmful', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [5, 10], (input, call) => watched(mesh, input, call === 2 ? harmful : healthy));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful', restoredExactly: true });
    expect(mesh).toMatchObject({ percent: 0, token: null });
  });

  it('puts everything back when harm shows in the afterwatch', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], (input) => watched(mesh, input, input.purpose === 'after' ? harmful : healthy));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', restoredExactly: true });
    expect(mesh.percent).toBe(0);
    expect(((await simulator.query('describe')) as OperationView).stages).toMatchObject([{ state: 'harmful' }]);
  });

  it('reject needs an approver or the requester, and changes nothing', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await begun(mesh, [10], always(mesh));
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'reject', { reason: 'not on a Friday' }));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({
      kind: 'rejected',
      by: { name: 'Reviewer' },
      words: expect.stringContaining('not on a Friday'),
    });
    expect(mesh.applied).toEqual([]);
  });

  it('abort puts everything back, in the middle of a watch', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], () => ({ never: true }));
    await simulator.advance(5_000);
    expect(mesh.percent).toBe(10);
    await simulator.signal('abort', { actor: operator, reason: 'wrong service' });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'aborted', restoredExactly: true, by: { name: 'Operator' } });
    expect(mesh).toMatchObject({ percent: 0, token: null });
  });

  it.each([0, 300_000])(
    'an abort that comes as the last watch ends still puts everything back, with an afterwatch of %i ms',
    async (afterwatchMs) => {
      const mesh = new FakeMesh();
      // The watch has seen its time out and says so, although its cancellation was asked for a moment before.
      const { value } = watched(mesh, {} as WatchInput, healthy) as { value: unknown };
      const { simulator } = await approved(mesh, [10], () => ({ never: true, whenCancelled: value }), {
        settings: settings({ afterwatchMs }),
      });
      await simulator.advance(5_000);
      await simulator.signal('abort', { actor: operator });
      await simulator.run();
      expect(outcomeOf(simulator)).toMatchObject({ kind: 'aborted', restoredExactly: true, by: { name: 'Operator' } });
      expect(mesh).toMatchObject({ percent: 0, token: null });
    },
  );

  it('an abort that comes while the end is being read back puts everything back', async () => {
    const mesh = new FakeMesh();
    const asked = request({ settings: settings({ afterwatchMs: 0 }) });
    const inspect = () => ({ value: { differences: [], found: {} }, afterMs: 4_000 });
    const simulator = await Simulator.start('canary', asked, { ...fakes(mesh, [10], always(mesh)), inspect });
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    for (let turn = 0; turn < 600 && !simulator.calls.some(({ activity }) => activity === 'inspect'); turn += 1)
      await simulator.advance(500);
    await simulator.signal('abort', { actor: operator });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'aborted', restoredExactly: true, by: { name: 'Operator' } });
    expect(mesh).toMatchObject({ percent: 0, token: null });
  });

  it('a cancellation by Temporal is an abort', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], () => ({ never: true }));
    await simulator.advance(5_000);
    await simulator.cancel();
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'aborted', restoredExactly: true });
    expect(mesh.percent).toBe(0);
  });

  it('a run whose begin never comes ends within 10 s and has called nothing', async () => {
    const mesh = new FakeMesh();
    const simulator = await Simulator.start('canary', request(), fakes(mesh, [10], always(mesh)));
    const started = simulator.now;
    await simulator.run();
    expect(simulator.now - started).toBeLessThanOrEqual(10_000);
    expect(simulator.calls).toEqual([]);
    expect(simulator.state).toBe('completed');
  });

  it('refuses a begin that nobody expects any more', async () => {
    const mesh = new FakeMesh();
    const asked = request({ validUntil: Date.UTC(2026, 0, 1) - 1 });
    const simulator = await Simulator.start('canary', asked, fakes(mesh, [10], always(mesh)));
    await expect(simulator.update('begin', asked)).rejects.toMatchObject({ name: 'RequestExpired' });
  });

  it('answers a second command with what is running, and lets a higher percent in during the afterwatch', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], (input) =>
      input.purpose === 'after' ? { never: true } : watched(mesh, input, healthy),
    );
    const more = request({ requestId: 'trigger-2', change: { kind: 'shift', percent: 25 } });
    await expect(simulator.update('begin', { ...more, validUntil: simulator.now + 60_000 })).rejects.toMatchObject({ name: 'Busy' });
    await simulator.advance(62_000);
    const lower = request({ requestId: 'trigger-3', change: { kind: 'shift', percent: 5 }, validUntil: simulator.now + 60_000 });
    await expect(simulator.update('begin', lower)).rejects.toMatchObject({ name: 'Busy' });
    await expect(simulator.update('begin', { ...more, validUntil: simulator.now + 60_000 })).resolves.toMatchObject({ continued: true });
    await simulator.advance(1_000);
    expect((await simulator.query('describe')) as OperationView).toMatchObject({ phase: 'waiting' });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    expect(
      simulator.calls.filter((call) => call.activity === 'canary.plan').map((call) => (call.input as { firstStage: number }).firstStage),
    ).toEqual([1, 1, 2, 2]);
  });

  it('shows a further step while it is asked for, and what is in force again when it is rejected', async () => {
    const mesh = new FakeMesh();
    const watching: Watching = (input) => (input.purpose === 'after' ? { never: true } : watched(mesh, input, healthy));
    const percents = ({ request: asked }: PlanInput): readonly number[] => [Number(asked.change['percent'] ?? 0)];
    const asked = request();
    const simulator = await Simulator.start('canary', asked, fakes(mesh, percents, watching));
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(62_000);
    const before = (await simulator.query('describe')) as OperationView;
    const more = request({ requestId: 'trigger-2', text: 'canary backend 25%', reason: 'more', change: { kind: 'shift', percent: 25 } });
    await simulator.update('begin', { ...more, requester: reviewer2, validUntil: simulator.now + 60_000 });
    await simulator.advance(1_000);
    expect((await simulator.query('describe')) as OperationView).toMatchObject({
      text: 'canary backend 25%',
      reason: 'more',
      requester: { name: 'Second reviewer' },
      to: 'backend-canary 25%',
    });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'reject', { reason: 'no' }));
    await simulator.advance(1_000);
    const { text, requester, to, planHash, reason } = (await simulator.query('describe')) as OperationView;
    expect({ text, requester, to, planHash, reason }).toEqual({
      text: before.text,
      requester: before.requester,
      to: before.to,
      planHash: before.planHash,
      reason: undefined,
    });
  });

  it('holds when it cannot see, and an unanswered hold expires into rollback', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], (input) => watched(mesh, input, blind));
    await simulator.advance(5_000);
    expect((await simulator.query('describe')) as OperationView).toMatchObject({ phase: 'holding', gate: { kind: 'hold' } });
    expect(mesh.percent).toBe(10);
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'HoldExpired', restoredExactly: true });
  });

  it('a hold keeps the fuse armed', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], (input, call) => watched(mesh, input, call === 1 ? blind : harmful));
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'rolled-back', code: 'Harmful' });
    expect(mesh.percent).toBe(0);
  });

  it('continuing past a hold needs an approver; extending does not', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], (input, call) =>
      watched(mesh, input, call === 1 ? blind : input.purpose === 'after' && call === 2 ? blind : healthy),
    );
    await simulator.advance(2_000);
    await expect(simulator.update('decide', await decisionOn(simulator, operator, 'continue'))).rejects.toMatchObject({
      name: 'SelfApproval',
    });
    await simulator.update('decide', await decisionOn(simulator, operator, 'extend'));
    await simulator.run();
    expect(outcomeOf(simulator).kind).toBe('completed');
  });

  it('leaves an object alone that another operation has taken meanwhile', async () => {
    const mesh = new FakeMesh();
    const { simulator } = await approved(mesh, [10], () => ({ never: true }));
    await simulator.advance(5_000);
    Object.assign(mesh, { token: 'canary-other1/1', percent: 50 });
    await simulator.signal('abort', { actor: operator });
    await simulator.run();
    expect(outcomeOf(simulator)).toMatchObject({ kind: 'superseded', restoredExactly: false });
    expect(mesh.percent).toBe(50);
  });
});

describe('the fault matrix', () => {
  const STEPS = [
    'canary.plan',
    'resolveApprovers',
    'canary.apply',
    'canary.realised',
    'canary.watch',
    'announce',
    'say',
    'chart',
    'record',
  ];

  it.each(STEPS.flatMap((step) => [1, 2, 3].map((call) => ({ step, call }))))(
    '$step failing at call $call leaves the mesh as approved or as it was',
    async ({ step, call }) => {
      const mesh = new FakeMesh();
      const activities = fakes(mesh, [5, 10], (input) => watched(mesh, input, healthy));
      const inner = activities[step];
      activities[step] = (input, context) =>
        context.call === call ? { fails: 'broken' } : (inner?.(input, context) ?? { value: undefined });
      const asked = request();
      const simulator = await Simulator.start('canary', asked, activities);
      await simulator.update('begin', asked);
      await simulator.advance(1_000);
      const view = (await simulator.query('describe')) as OperationView;
      if (view.gate) await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
      await simulator.run();
      expect(simulator.state).toBe('completed');
      expect(mesh.percent).toBe(outcomeOf(simulator).kind === 'completed' ? 10 : 0);
    },
  );

  it.each([0, 1, 2, 3, 5, 61_000, 62_000, 122_000, 200_000])(
    'an abort %i ms after the approval leaves the mesh as it was',
    async (after) => {
      const mesh = new FakeMesh();
      const { simulator } = await approved(mesh, [5, 10], always(mesh), { settings: settings() });
      await simulator.advance(after);
      await simulator.signal('abort', { actor: operator });
      await simulator.run();
      expect(outcomeOf(simulator).kind).toBe('aborted');
      expect(mesh).toMatchObject({ percent: 0, token: null });
    },
  );
});

describe('the fence', () => {
  it('claims every object before it writes the first stage, and the undo takes the claim away', async () => {
    const mesh = new FakeMesh();
    const stages: number[] = [];
    const activities = fakes(mesh, [10], () => ({ never: true }));
    const apply = activities['canary.apply'];
    activities['canary.apply'] = (input, context) => {
      const { stage } = input as { stage: { number: number } };
      stages.push(stage.number);
      // The attempt that writes is lost in a partition: nobody knows whether it will still write.
      return stage.number === 0 ? (apply?.(input, context) ?? { never: true }) : { fails: 'partition' };
    };
    const asked = request();
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(stages).toEqual([0, 1]);
    expect(mesh).toMatchObject({ percent: 0, token: null });
    // The late attempt expects the claim, which is gone.
    const late = simulator.calls.findLast((call) => call.activity === 'canary.apply');
    expect(mesh.apply(late?.input as never)).toMatchObject({ value: { kind: 'held' } });
  });
});
