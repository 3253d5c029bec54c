import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, startRig } from '../../playground/rig/rig.ts';
import { play } from '../../playground/scenarios/play.ts';
import { SCENARIOS } from '../../playground/scenarios/registry.ts';
import type { Report } from '../../playground/scenarios/report.ts';
import type { Scenario } from '../../playground/scenarios/scenario.ts';

const options = { progress: () => undefined, preset: 'ideal', seed: 1, pace: 'fast', split: true } as const;

/** What a failure is read from: first of all the sentence that says what broke. */
const told = ({ broken = '', ok, duplicates }: Report) => ({ broken, ok, duplicates });

/**
 * Every other scenario once on the real stack: real apiserver, Temporal, Envoy, and the product in processes of its own. Stories wait more
 * than they compute, so two files tell one half each side by side.
 */
export function tellHalf(half: 0 | 1): void {
  const mine = SCENARIOS.filter((_, index) => index % 2 === half);
  const inTests = mine.filter((scenario) => scenario.byHand === undefined);
  const shared = inTests.filter((scenario) => scenario.rig === undefined);
  const apart = inTests.filter((scenario) => scenario.rig !== undefined);
  const stop = new AbortController();

  describe('scenarios on the real stack', () => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await startRig({ ...options, signal: stop.signal });
    });
    afterAll(() => rig?.stop());
    it.each(named(shared))('$name', async ({ scenario }) => {
      expect(told(await play(rig, scenario, { seed: 1 }))).toEqual({ broken: '', ok: true, duplicates: 0 });
    });
  });

  describe.skipIf(apart.length === 0)('scenarios that need a rig of their own', () => {
    it.each(named(apart))('$name', async ({ scenario }) => {
      const rig = await startRig({ ...options, ...scenario.rig, signal: stop.signal });
      try {
        expect(told(await play(rig, scenario, { seed: 1 }))).toEqual({ broken: '', ok: true, duplicates: 0 });
      } finally {
        await rig.stop();
      }
    });
  });

  const byHand = mine.filter((scenario) => scenario.byHand !== undefined);
  describe.skipIf(byHand.length === 0)('scenarios that are run by hand', () => {
    it.skip.each(byHand.map(({ name, byHand: why }) => ({ name, why })))('$name: $why', () => undefined);
  });
}

const named = (scenarios: readonly Scenario[]) => scenarios.map((scenario) => ({ name: scenario.name, scenario }));
