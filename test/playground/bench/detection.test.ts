import { describe, expect, it } from 'vitest';
import { RIVALS } from '../../../playground/bench/detection-rivals.ts';
import { detect, JUDGES } from '../../../playground/bench/detection-run.ts';
import { exceeds } from '../../../playground/bench/false-rollback-importance.ts';
import { playHealthy } from '../../../playground/bench/false-rollback-play.ts';
import { chanceFrom, interval } from '../../../playground/bench/judge-chance.ts';

/** Ten canary requests a second, every one of which fails from the first on. */
const allBad = { share: 1, healthy: 0, onsetMs: 0, delayMs: 0, perSecond: 10, controls: 9, control: 0.001 };

describe('the models of the rivals', () => {
  it.each([
    // facts: rollback comes (threshold + 1) intervals after the weight was set.
    ['Flagger tutorial', 360, 360],
    ['Flagger default', 120, 120],
    ['Flagger at its floor', 20, 20],
    ['Argo docs', 910, 910],
    ['Argo 60 s', 10, 11],
    ['Argo 5 s', 10, 11],
    ['Argo 1 s, one window', 2, 4],
    ['Argo 1 s, two windows, initialDelay', 60, 60],
  ])('%s decides when its loop does', (name, from, to) => {
    const index = RIVALS.findIndex((rival) => rival.name.startsWith(name));
    const decided = detect(allBad, 1, { judges: [], rivals: true })[index + JUDGES.length];
    if (decided === undefined || decided === 'early') throw new Error(String(decided));
    expect(decided.ms / 1_000).toBeGreaterThanOrEqual(from);
    expect(decided.ms / 1_000).toBeLessThanOrEqual(to);
    // Poisson arrivals: five standard deviations.
    expect(Math.abs(decided.exposed - decided.ms / 100)).toBeLessThan(5 * Math.sqrt(decided.ms / 100));
  });

  it('leave a canary without failures alone', () => {
    expect(
      detect({ ...allBad, share: 0, onsetMs: 1_800_000, perSecond: 1 }, 1, { judges: [], rivals: true }).every((one) => one === undefined),
    ).toBe(true);
  });
});

describe('the simulations', () => {
  it('are repeated exactly by their seed, and find a canary that is not healthy', () => {
    const cell = { exposures: [0.1], watchMs: [30_000], rate: () => 60, canary: () => 0.2, stable: () => 0.01 };
    const first = playHealthy(cell, 0.05, 7);
    expect(first).toMatchObject({ judge: 'objective' });
    expect(playHealthy(cell, 0.05, 7)).toEqual(first);
  });

  it('weigh drawn runs to the same figure that counting gives, where both can be had', () => {
    const alpha = 0.2;
    const cell = { exposures: [0.5, 1], watchMs: [30_000, 30_000], rate: () => 50, canary: () => 0.01, stable: () => 0.01 };
    const { probability, standardError } = exceeds(cell, alpha, 1_000);
    let fired = 0;
    const runs = 1_000;
    for (let run = 1; run <= runs; run += 1) if (playHealthy(cell, alpha, run)) fired += 1;
    const [low, high] = interval(fired, runs, 0.001);
    expect(probability + 4 * standardError).toBeGreaterThan(low);
    expect(probability - 4 * standardError).toBeLessThan(high);
    expect(probability).toBeLessThan(alpha);
    expect(fired).toBeGreaterThan(5);
  });

  it('break the judge before where its null was not that of a cluster', () => {
    const { denied } = { denied: { canary: 2, stable: 2, everyMs: 15_000, peers: 1 } };
    const cell = { exposures: [0.05], watchMs: [300_000], rate: () => 50, canary: () => 0, stable: () => 0, denied };
    expect([1, 2, 3, 4, 5].filter((seed) => playHealthy(cell, 0.001, seed, true))).toHaveLength(5);
    expect([1, 2, 3, 4, 5].filter((seed) => playHealthy(cell, 0.001, seed))).toEqual([]);
  });

  it('draw from the laws that they name', () => {
    const chance = chanceFrom(3);
    const values = Array.from({ length: 20_000 }, () => chance.poisson(2.5));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(2.5, 1);
    expect(variance).toBeGreaterThan(2.4);
    expect(variance).toBeLessThan(2.6);
    expect(interval(0, 100)[1]).toBeCloseTo(0.0362, 4);
    expect(interval(5, 100)).toEqual([expect.closeTo(0.0164, 4), expect.closeTo(0.1128, 4)]);
  });
});
