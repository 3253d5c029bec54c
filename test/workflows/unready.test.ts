import { beforeAll, describe, expect, it } from 'vitest';
import type { AttendInput, UnreadyInput, WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { workflowBundle } from '../support/bundle.ts';
import { decisionOn, FakeMesh, fakes, harmful, healthy, operator, request, reviewer, watched } from '../support/operations.ts';
import { type FakeActivity, type Reply, Simulator } from '../support/simulator.ts';

beforeAll(async () => void (await workflowBundle()), 180_000);

const WORDS = 'Look first: backend would get 100% of the requests and has no ready endpoint. Those requests would fail.';
const HOLD_MS = 30 * 60_000;

/** A canary at 10% whose stable side has no endpoint; `readyAfterMs`: until it has one again. */
async function exposed(
  options: {
    readonly readyAfterMs?: number;
    readonly says?: FakeActivity;
    readonly guard?: () => boolean;
    readonly attend?: FakeActivity;
  } = {},
) {
  const mesh = new FakeMesh();
  const asked = request({ settings: { ...request().settings, soakMs: 600_000, holdMs: HOLD_MS } });
  const unready = ((input: UnreadyInput): Reply => {
    if (input.waitMs === 0) return { value: { words: WORDS } };
    const { readyAfterMs } = options;
    return readyAfterMs === undefined ? { value: { words: WORDS }, afterMs: input.waitMs } : { value: {}, afterMs: readyAfterMs };
  }) as FakeActivity;
  const guarded = (input: WatchInput): Reply =>
    watched(mesh, input, input.guardMs !== undefined && !input.applying && options.guard?.() ? harmful : healthy);
  const simulator = await Simulator.start('canary', asked, {
    ...fakes(mesh, [10], (input) => (input.guardMs === undefined ? watched(mesh, input, healthy) : guarded(input))),
    'canary.unready': options.says ?? unready,
    ...(options.attend && { attend: options.attend }),
  });
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.advance(30_000);
  expect(mesh.percent).toBe(10);
  const view = async (): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
  return { mesh, simulator, view, outcome: (): Outcome => simulator.result as Outcome };
}

const stop = { actor: operator, reason: 'v2 is slow' };

describe('a rollback whose traffic would go to nobody who can answer it', () => {
  it('asks first: what is in place stays, watched with its fuse, and people are told why', async () => {
    const { mesh, simulator, view } = await exposed();
    await simulator.signal('abort', stop);
    await simulator.advance(10_000);
    expect(mesh.percent).toBe(10);
    const { phase, gate } = await view();
    expect(phase).toBe('holding');
    expect(gate).toMatchObject({ kind: 'undo', why: WORDS, quorum: 0 });
    expect(simulator.calls.findLast(({ activity }) => activity === 'say')?.input).toMatchObject({
      note: { kind: 'unready', words: WORDS },
    });
    expect(simulator.calls.filter(({ activity }) => activity === 'canary.watch').at(-1)?.input).toMatchObject({
      purpose: 'after',
      relievable: true,
    });
  });

  it('reminds whoever asked for the change at half of the time, and no freeze is shown in it', async () => {
    const asked: AttendInput[] = [];
    const attend = ((input: AttendInput): Reply => {
      asked.push(input);
      const { callAt } = input;
      if (callAt === undefined) return { never: true };
      return { value: { freeze: null, approvers: [], isDue: true }, afterMs: callAt - at };
    }) as FakeActivity;
    let at = 0;
    const { simulator, view } = await exposed({ attend });
    asked.length = 0;
    at = simulator.now;
    await simulator.signal('abort', stop);
    await simulator.advance(HOLD_MS / 2 - 10_000);
    expect((await view()).gate).toMatchObject({ kind: 'undo' });
    expect((await view()).gate?.call).toBeUndefined();
    await simulator.advance(20_000);
    expect((await view()).gate).toMatchObject({ kind: 'undo', call: 'reminder' });
    expect(asked[0]).toMatchObject({ heeds: false });
  });

  it('goes on by itself as soon as they can answer, and ends as it was stopped', async () => {
    const { mesh, simulator, outcome } = await exposed({ readyAfterMs: 20_000 });
    await simulator.signal('abort', stop);
    await simulator.advance(19_000);
    expect(mesh.percent).toBe(10);
    await simulator.run();
    expect(mesh.percent).toBe(0);
    expect(outcome()).toMatchObject({ kind: 'aborted', restoredExactly: true });
  });

  it.each([
    ['by the button', async (simulator: Simulator) => simulator.update('decide', await decisionOn(simulator, operator, 'rollback'))],
    ['by the command once more', (simulator: Simulator) => simulator.signal('abort', stop)],
  ])('is made at once where somebody wants it all the same, %s', async (_, insist) => {
    const { mesh, simulator, outcome } = await exposed();
    await simulator.signal('abort', stop);
    await simulator.advance(10_000);
    const at = simulator.now;
    await insist(simulator);
    await simulator.run();
    expect(mesh.percent).toBe(0);
    expect(outcome().kind).toBe('aborted');
    expect(simulator.calls.find(({ activity }) => activity === 'canary.restore')?.at).toBeLessThan(at + 1_000);
  });

  it('is made at the end of a hold in any case', async () => {
    const { mesh, simulator, outcome } = await exposed();
    await simulator.signal('abort', stop);
    await simulator.advance(HOLD_MS - 1_000);
    expect(mesh.percent).toBe(10);
    await simulator.run();
    expect(mesh.percent).toBe(0);
    expect(outcome().kind).toBe('aborted');
  });

  it('is made at once by the fuse, which asks nobody', async () => {
    let broken = false;
    const { mesh, simulator, outcome } = await exposed({ guard: () => broken });
    broken = true;
    await simulator.signal('abort', stop);
    await simulator.advance(5_000);
    expect(mesh.percent).toBe(0);
    await simulator.run();
    expect(outcome().restoredExactly).toBe(true);
  });

  it.each<[string, Reply]>([
    ['who can answer is not known', { fails: 'the API server is away' }],
    ['the API server does not answer', { never: true }],
    ['all of them can', { value: {} }],
  ])('waits for nothing where %s', async (_, reply) => {
    const { mesh, simulator, outcome } = await exposed({ says: () => ('never' in reply ? { value: {}, afterMs: 3_600_000 } : reply) });
    const at = simulator.now;
    await simulator.signal('abort', stop);
    await simulator.run();
    expect(mesh.percent).toBe(0);
    expect(outcome().kind).toBe('aborted');
    expect(simulator.calls.find(({ activity }) => activity === 'canary.restore')?.at).toBeLessThan(at + 2_500);
  });
});
