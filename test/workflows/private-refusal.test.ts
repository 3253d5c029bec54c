import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/lifecycle/operation.ts';
import { FakeMesh, fakes, healthy, request, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const NEAR = ['backend', 'backend-canary'];
function impossible(afterMs: number): FakeActivity {
  return () => ({
    value: { kind: 'impossible', code: 'NoRoute', words: 'There is none. Nothing was changed.', candidates: NEAR },
    afterMs,
  });
}

async function asked(activities: Readonly<Record<string, FakeActivity>>) {
  const mesh = new FakeMesh();
  const all = { ...fakes(mesh, [10], (input) => watched(mesh, input, healthy)), ...activities };
  const change = { requestedAt: Date.UTC(2026, 0, 1) };
  const simulator = await Simulator.start('canary', request(change), all);
  await simulator.update('begin', request(change));
  const called = (activity: string) => simulator.calls.filter((call) => call.activity === activity);
  return { simulator, called };
}

describe('a command that is refused before there is a plan', () => {
  it('leaves nothing in the channel when that is known within two seconds; the record keeps it, with the names that are near', async () => {
    const { simulator, called } = await asked({ 'canary.plan': impossible(300) });
    await simulator.run();
    expect(simulator.result as Outcome).toMatchObject({ kind: 'impossible', code: 'NoRoute', candidates: NEAR });
    expect([called('announce'), called('say'), called('chart')]).toEqual([[], [], []]);
    expect(JSON.stringify(called('record'))).toContain('"NoRoute"');
  });

  it('is shown where planning takes longer, and ends there', async () => {
    const { simulator, called } = await asked({ 'canary.plan': impossible(5_000) });
    await simulator.advance(1_900);
    expect(called('announce')).toEqual([]);
    await simulator.advance(200);
    expect(called('announce')).toHaveLength(1);
    await simulator.run();
    expect(called('announce').at(-1)?.input).toMatchObject({ view: { phase: 'over' } });
    expect(called('say').length).toBeGreaterThan(0);
  });
});

it('a plan is shown as soon as it is there, and the two seconds add nothing', async () => {
  const { simulator, called } = await asked({});
  await simulator.advance(100);
  const before = called('announce').length;
  expect(before).toBeGreaterThan(0);
  await simulator.advance(4_000);
  expect(called('announce')).toHaveLength(before);
});
