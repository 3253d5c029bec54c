import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, startRig } from '../../playground/rig/rig.ts';
import { play } from '../../playground/scenarios/play.ts';
import { SCENARIOS } from '../../playground/scenarios/registry.ts';
import type { Report } from '../../playground/scenarios/report.ts';

/** Every scenario once on the real stack: real apiserver, Temporal, Envoy, and the product in processes of its own. */
const shared = SCENARIOS.filter((scenario) => scenario.byHand === undefined && scenario.rig === undefined);
const apart = SCENARIOS.filter((scenario) => scenario.byHand === undefined && scenario.rig !== undefined);
const byHand = SCENARIOS.filter((scenario) => scenario.byHand !== undefined);
const options = { progress: () => undefined, preset: 'ideal', seed: 1, pace: 'fast', split: true } as const;
const stop = new AbortController();

/** What a failure is read from: first of all the sentence that says what broke. */
const told = ({ broken = '', ok, duplicates }: Report) => ({ broken, ok, duplicates });

describe('scenarios on the real stack', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ ...options, signal: stop.signal });
  });
  afterAll(() => rig?.stop());

  it.each(shared.map((scenario) => ({ name: scenario.name, scenario })))('$name', async ({ scenario }) => {
    const report = await play(rig, scenario, { seed: 1 });
    expect(told(report)).toEqual({ broken: '', ok: true, duplicates: 0 });
  });
});

describe('scenarios that need a rig of their own', () => {
  it.each(apart.map((scenario) => ({ name: scenario.name, scenario })))('$name', async ({ scenario }) => {
    const rig = await startRig({ ...options, ...scenario.rig, signal: stop.signal });
    try {
      expect(told(await play(rig, scenario, { seed: 1 }))).toEqual({ broken: '', ok: true, duplicates: 0 });
    } finally {
      await rig.stop();
    }
  });
});

describe('scenarios that are run by hand', () => {
  it.skip.each(byHand.map(({ name, byHand: why }) => ({ name, why })))('$name: $why', () => undefined);
});
