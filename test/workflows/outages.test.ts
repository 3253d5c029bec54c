import { describe, expect, it } from 'vitest';
import type { AuditRecord, OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { decisionOn, FakeMesh, fakes, healthy, request, reviewer, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

/** Outages of the database and of Slack, far longer than anybody waits for an answer. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Kept {
  readonly at: number;
  readonly record: AuditRecord;
}

/** A mesh, and a database that answers nothing between `from` and `until` (ms from the start). */
async function operation(
  percents: readonly number[],
  away: { readonly activity: string; readonly from: number; readonly until: number },
  asked = request(),
) {
  const mesh = new FakeMesh();
  const kept: Kept[] = [];
  const written: number[] = [];
  const usual = fakes(mesh, percents, (input) => watched(mesh, input, healthy));
  let began = 0;
  const delayed =
    (name: string, fake: FakeActivity): FakeActivity =>
    (input, context) => {
      const since = context.now - began;
      const reply = fake(input, context);
      if (name !== away.activity || since < away.from || since >= away.until || !('value' in reply)) return reply;
      return { value: reply.value, afterMs: away.until - since };
    };
  const record: FakeActivity = (input, { now }) => {
    for (const one of (input as { records: AuditRecord[] }).records) kept.push({ at: now, record: one });
    return { value: undefined };
  };
  const apply: FakeActivity = (input, context) => {
    written.push(context.now - began);
    return (usual['canary.apply'] as FakeActivity)(input, context);
  };
  const all: Record<string, FakeActivity> = { ...usual, record, 'canary.apply': apply };
  const simulator = await Simulator.start(
    'canary',
    asked,
    Object.fromEntries(Object.entries(all).map(([name, fake]) => [name, delayed(name, fake)])),
  );
  began = simulator.now;
  await simulator.update('begin', asked);
  const view = async (): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
  const approve = async (): Promise<void> => void (await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve')));
  return { mesh, kept, written, simulator, view, approve, outcome: (): Outcome => simulator.result as Outcome };
}

describe('while the database is away', () => {
  it('an outcome is kept however long it takes, and the operation ends with it', async () => {
    const one = await operation([10], { activity: 'record', from: 3 * MINUTE, until: 2 * HOUR });
    await one.simulator.advance(1_000);
    await one.approve();
    await one.simulator.run();
    expect(one.outcome()).toMatchObject({ kind: 'completed' });
    const outcome = one.kept.find(({ record }) => record.kind === 'outcome');
    expect(outcome).toBeDefined();
    expect(one.simulator.now - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(2 * HOUR);
  });

  it('nothing is written before the record holds what was before, and people are told what it waits for', async () => {
    const one = await operation([10], { activity: 'record', from: 500, until: HOUR });
    await one.simulator.advance(1_000);
    await one.approve();
    await one.simulator.advance(2 * MINUTE);
    expect(one.written).toEqual([]);
    expect(await one.view()).toMatchObject({ awaited: { what: 'records' } });
    await one.simulator.run();
    expect(one.outcome()).toMatchObject({ kind: 'completed' });
    expect(one.written[0]).toBeGreaterThanOrEqual(HOUR);
    expect(await one.view()).not.toHaveProperty('awaited');
    const plan = one.kept.find(({ record }) => record.kind === 'plan');
    expect(plan?.record.data).toMatchObject({ undo: { originals: [{ uid: 'uid-1' }], stages: [{ number: 1 }] } });
  });

  it('an abort ends the wait for it', async () => {
    const one = await operation([10], { activity: 'record', from: 500, until: HOUR });
    await one.simulator.advance(1_000);
    await one.approve();
    await one.simulator.advance(MINUTE);
    await one.simulator.signal('abort', { actor: reviewer });
    await one.simulator.advance(1_000);
    expect(await one.view()).toMatchObject({ phase: 'over', outcome: { kind: 'aborted' } });
    expect(one.written).toEqual([]);
  });

  it('a freeze that nobody can ask about holds a next stage; what is in place stays', async () => {
    const one = await operation([5, 10], { activity: 'frozen', from: 30_000, until: HOUR });
    await one.simulator.advance(1_000);
    await one.approve();
    await one.simulator.advance(50 * MINUTE);
    expect(one.mesh.percent).toBe(5);
    await one.simulator.run();
    expect(one.outcome()).toMatchObject({ kind: 'completed' });
    expect(one.mesh.percent).toBe(10);
  });
});

describe('while Slack is away', () => {
  it('a second gate that nobody can be named for waits; what is in place stays', async () => {
    const rule = settings().gates[0] as ReturnType<typeof settings>['gates'][number];
    const gates = [rule, { ...rule, above: 0.07 }];
    const asked = request({ settings: settings({ gates }) });
    const one = await operation([5, 10], { activity: 'resolveApprovers', from: 30_000, until: HOUR }, asked);
    await one.simulator.advance(1_000);
    await one.approve();
    await one.simulator.advance(50 * MINUTE);
    expect(one.mesh.percent).toBe(5);
    expect(await one.view()).toMatchObject({ awaited: { what: 'approvers' } });
    await one.simulator.advance(15 * MINUTE);
    await one.approve();
    await one.simulator.run();
    expect(one.outcome()).toMatchObject({ kind: 'completed' });
  });

  it('its message shows the end when Slack is back', async () => {
    const one = await operation([10], { activity: 'announce', from: 2 * MINUTE, until: HOUR });
    await one.simulator.advance(1_000);
    await one.approve();
    await one.simulator.run();
    const shown = one.simulator.calls.filter(({ activity }) => activity === 'announce').at(-1)?.input as unknown as { view: OperationView };
    expect(shown.view).toMatchObject({ phase: 'over', outcome: { kind: 'completed' } });
    expect(one.simulator.now - Date.UTC(2026, 0, 1)).toBeGreaterThanOrEqual(HOUR);
  });
});

it('a further step that cannot be planned takes nothing away from what is in place', async () => {
  const mesh = new FakeMesh();
  const usual = fakes(mesh, [10], (input) => watched(mesh, input, healthy));
  const plan: FakeActivity = (input, context) =>
    context.call > 2 ? { fails: 'the API server does not answer' } : (usual['canary.plan'] as FakeActivity)(input, context);
  const asked = request();
  const simulator = await Simulator.start('canary', asked, { ...usual, 'canary.plan': plan });
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.advance(90_000);
  expect(await simulator.query('describe')).toMatchObject({ phase: 'afterwatch' });
  const step = request({
    requestId: 'trigger-2',
    change: { kind: 'shift', percent: 50 },
    requestedAt: simulator.now,
    validUntil: simulator.now + MINUTE,
  });
  await simulator.update('begin', step);
  await simulator.run();
  expect(simulator.result).toMatchObject({ kind: 'completed' });
  expect(mesh.percent).toBe(10);
});
