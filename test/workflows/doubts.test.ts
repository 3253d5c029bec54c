import { describe, expect, it } from 'vitest';
import type { WatchInput } from '../../activities/contract.ts';
import type { Outcome } from '../../src/domain/operation.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { counts, decisionOn, FakeMesh, fakes, healthy, request, reviewer, watched } from '../support/operations.ts';
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
