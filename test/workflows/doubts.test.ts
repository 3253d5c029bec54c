import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';
import { counts, decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const KEY = 'ingress/world/22/TCP';
const doubtful: Verdict = { kind: 'doubtful', counts: counts(5, 1), doubts: [{ key: KEY, words: 'a scan', count: 3 }], words: 'a scan' };

/** A policy's steps on the fake mesh: the lifecycle knows no difference but the name. */
function policyFakes(mesh: FakeMesh, watching: Parameters<typeof fakes>[2]): Record<string, FakeActivity> {
  const all = Object.entries(fakes(mesh, [10], watching));
  return Object.fromEntries(all.map(([name, fake]) => [name.replace('canary.', 'policy.'), fake]));
}

/** Approves, accepts the doubt of the first watch, and says which doubts each watch of the stage knew to be accepted. */
async function accepting(early: boolean): Promise<{ outcome: Outcome; watches: readonly (readonly string[])[] }> {
  const mesh = new FakeMesh();
  const watches: (readonly string[])[] = [];
  const watching = (input: WatchInput) => {
    if (input.purpose !== 'stage') return watched(mesh, input, healthy);
    watches.push(input.accepted);
    const verdict = input.accepted.includes(KEY) ? healthy : doubtful;
    const { value } = watched(mesh, input, verdict) as { value: object };
    const endedAt = early ? 1_000 : input.durationMs;
    return { value: { ...value, startedAt: 0, endedAt }, afterMs: endedAt };
  };
  const asked = { ...request(), verb: 'policy' as const };
  const simulator = await Simulator.start('policy', asked, policyFakes(mesh, watching));
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  await simulator.run(() => watches.length > 0);
  await simulator.advance(asked.settings.soakMs + 1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'continue'));
  await simulator.run();
  return { outcome: simulator.result as Outcome, watches };
}

describe('a doubt that people accept', () => {
  it('goes on being watched where it had ended the watch early, and is known to be accepted', async () => {
    const { outcome, watches } = await accepting(true);
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(watches).toEqual([[], [KEY]]);
  });

  it('does not repeat a soak that had been watched to its end', async () => {
    const { outcome, watches } = await accepting(false);
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(watches).toEqual([[]]);
  });
});

const most = 12;
const found: Verdict = { ...doubtful, doubts: [{ key: KEY, words: '3 connections from 198.51.100.7 to port 22/TCP', count: 3, most }] };

/** A plan of two stages, the first of which only observes; `verdicts` of the first stage's watches, one after the other. */
async function observing(verdicts: readonly Verdict[]) {
  const mesh = new FakeMesh();
  const watches: WatchInput[] = [];
  const all = policyFakes(mesh, (input) => {
    if (input.purpose !== 'stage') return { ...watched(mesh, input, healthy), afterMs: input.durationMs };
    watches.push(input);
    const { value } = watched(mesh, input, verdicts[watches.length - 1] ?? healthy) as { value: object };
    return { value: { ...value, startedAt: 0, endedAt: input.durationMs }, afterMs: input.durationMs };
  });
  const plan = (input: never) => {
    const { value } = (all['policy.plan'] as (input: never) => { value: { plan: Plan } })(input);
    const [first, second] = value.plan.stages;
    const stages = [
      { ...first, label: 'observe', exposure: 0 },
      { ...first, ...second, number: 2 },
    ];
    return { value: { kind: 'plan', plan: { ...value.plan, stages } } };
  };
  const asked = { ...request(), verb: 'policy' as const };
  const simulator = await Simulator.start('policy', asked, { ...all, 'policy.plan': plan as FakeActivity });
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
  let holds = 0;
  const held = async () => {
    holds += 1;
    await simulator.run(() => watches.length >= holds);
    await simulator.advance(asked.settings.soakMs + 1_000);
  };
  await held();
  return { simulator, watches, held, view: async () => (await simulator.query('describe')) as OperationView };
}

describe('what a shadow found', () => {
  it('is accepted by an approver, never by whoever asked, although a shadow exposes nobody', async () => {
    const { simulator, view } = await observing([found]);
    expect((await view()).gate).toMatchObject({ kind: 'hold', quorum: 1, accepts: [{ key: KEY, most }] });
    await expect(simulator.update('decide', await decisionOn(simulator, operator, 'continue'))).rejects.toThrow('SelfApproval');
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'continue'));
  });

  it('is what the following watches know, bounded by what was counted, and what everybody sees from then on', async () => {
    const { simulator, view, watches } = await observing([found]);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'continue'));
    await simulator.run();
    expect(watches[1]).toMatchObject({ accepted: [KEY], acceptedMost: { [KEY]: most } });
    expect((await view()).accepted).toMatchObject([{ key: KEY, most }]);
  });

  it('is not accepted by the button of an earlier question', async () => {
    const other = { ...found, doubts: [{ key: 'ingress/external/external/8080/TCP', words: 'external', count: 90, most: 270 }] };
    const { simulator, held, view } = await observing([found, other]);
    const old = await decisionOn(simulator, reviewer, 'continue');
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'extend'));
    await held();
    await expect(simulator.update('decide', old)).rejects.toThrow('StaleGate');
    expect((await view()).accepted).toBeUndefined();
  });

  it('is told again at the end of the watch where people watched on, not at its beginning', async () => {
    const { simulator, watches, held } = await observing([found, found]);
    await simulator.update('decide', await decisionOn(simulator, operator, 'extend'));
    await held();
    expect(watches[1]?.postponed).toEqual([KEY]);
  });
});
