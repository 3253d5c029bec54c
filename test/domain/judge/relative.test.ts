import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block } from '../../../src/domain/judge/blocks.ts';
import { Comparison } from '../../../src/domain/judge/comparison.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { Hypergeometric } from '../../../src/domain/judge/hypergeometric.ts';
import { randomFrom, request, START, settings } from './traffic.ts';

const ODDS = [1.5, 2, 3, 5, 15, 100];
const LAW = new Hypergeometric(ODDS);

function likelihoodRatio(events: number, canary: number, failures: number, canaryFailures: number, odds: number): number {
  const ratios = ODDS.map(() => 0);
  LAW.ratios({ events, canary, failures, canaryFailures }, ratios);
  return ratios[ODDS.indexOf(odds)] ?? Number.NaN;
}

describe('the canary against its control', () => {
  it('multiplies by ratios whose mean is exactly 1 when the sides are alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), fc.nat(), fc.constantFrom(...ODDS), (events, a, b, odds) => {
        const [canary, failures] = [a % (events + 1), b % (events + 1)];
        let mean = 0;
        for (let c = Math.max(0, failures - events + canary); c <= Math.min(failures, canary); c += 1) {
          mean +=
            likelihoodRatio(events, canary, failures, c, odds) *
            ways(canary, c) *
            (ways(events - canary, failures - c) / ways(events, failures));
        }
        expect(mean).toBeCloseTo(1, 9);
      }),
    );
  });

  it('keeps a mean of exactly 1 over every arrangement of labels, whatever failed when, and with mass released on the way', () => {
    // 12 requests in two blocks, half of them the canary's by chance; failures in one run, as in an outage.
    const outcomes = [false, false, false, true, true, true, true, false, false, true, false, false];
    let [total, count] = [0, 0];
    for (let labels = 0; labels < 2 ** outcomes.length; labels += 1) {
      const evidence = new Comparison({ watches: 2, ms: 2_000 });
      evidence.begin(0, { start: 0.4, failures: 0.7 });
      for (const from of [0, 8]) evidence.take(blockOf(outcomes, labels, from, from === 0 ? 8 : 12));
      evidence.begin(1_200, undefined);
      total += evidence.value();
      count += 1;
    }
    expect(total / count).toBeCloseTo(1, 10);
  });

  it('finds a regression inside the objective', () => {
    const verdict = play({ share: 0.1, canary: 0.03, stable: 0.001, objective: 0.05, seed: 1 });
    expect(verdict).toMatchObject({ kind: 'harmful', judge: 'relative' });
    expect(verdict?.words).toMatch(/worse than what its control does in the same requests \(evidence .* to 1, needed /);
  });

  it('stays silent through an outage that hits both sides, where the objective would have spoken', () => {
    const outage = (ms: number) => (ms % 30_000 < 4_000 ? 0.5 : 0.001);
    let [relative, absolute] = [0, 0];
    for (let seed = 1; seed <= 200; seed += 1) {
      if (play({ share: 0.1, canary: outage, stable: outage, slo: 'relative', alpha: 0.05, seed })) relative += 1;
      if (play({ share: 0.1, canary: outage, stable: outage, slo: 'absolute', alpha: 0.05, seed })) absolute += 1;
    }
    expect(relative).toBeLessThanOrEqual(18);
    expect(absolute).toBe(200);
  });

  it('alone lets everything fail on both sides, however long', () => {
    for (let seed = 1; seed <= 20; seed += 1) expect(play({ share: 0.5, canary: 0.9, stable: 0.9, slo: 'relative', seed })).toBeUndefined();
  });

  it('keeps together what one look at counters tells, side by side and outcome by outcome', () => {
    // gRPC's counters, every 5 s: 50 canary answers and 450 others, one in fifty failed on both sides alike.
    const judge = createJudge(settings({ exposure: 0.1, slo: 'relative', alpha: 0.05, durationMs: 600_000 }));
    const said = Array.from({ length: 120 }, (_, look) => START + look * 5_000).flatMap((at) =>
      [
        ...Array.from({ length: 49 }, () => request(at, false)),
        request(at, true),
        ...Array.from({ length: 441 }, () => request(at, false, 'stable')),
        ...Array.from({ length: 9 }, () => request(at, true, 'stable')),
      ].flatMap((event) => judge.hear(event) ?? []),
    );
    expect(said).toEqual([]);
  });

  it('has numbers for blocks of thousands', () => {
    expect(likelihoodRatio(20_000, 10_000, 8_000, 4_000, 1.5)).toBeLessThan(1e-20);
    expect(likelihoodRatio(20_000, 10_000, 8_000, 5_000, 1.5)).toBeGreaterThan(1e20);
    expect(likelihoodRatio(20_000, 10_000, 8_000, 8_000, 100)).toBeLessThanOrEqual(1e200);
    expect(likelihoodRatio(20_000, 10_000, 8_000, 0, 100)).toBe(0);
  });

  it('is one sum with the objective and the share, and never takes part where who gets a request is not drawn at random', () => {
    const judges = (over: object) => createJudge(settings(over)).standing();
    expect(judges({ exposure: 0.5 })).toMatchObject([
      { judge: 'all', evidence: 1, needed: 1_000 },
      { judge: 'objective', needed: 1_000 / 0.35 },
      { judge: 'relative', needed: 1_000 / 0.55 },
      { judge: 'silence', needed: 10_000 },
    ]);
    expect(judges({ exposure: 0.5, split: false })).toMatchObject([{ judge: 'all' }, { judge: 'objective', needed: 1_000 }]);
    const users = Array.from({ length: 40_000 }, (_, i) =>
      request(START + i * 10, i % 5 === 0 ? i % 600 === 0 : i % 1_000 === 1, i % 5 === 0 ? 'canary' : 'stable'),
    );
    const header = createJudge(settings({ exposure: 0.5, split: false, durationMs: 400_000 }));
    expect(users.flatMap((event) => header.hear(event) ?? [])).toEqual([]);
  });

  it('takes the earlier share as the objective of a canary that has no control left', () => {
    const over = { slo: 'relative', exposure: 1, baseline: { requests: 10_000, failures: 300 } } as const;
    const three = Array.from({ length: 3_000 }, (_, i) => request(START + i * 20, i % 33 === 0));
    const judge = createJudge(settings(over));
    expect(three.flatMap((event) => judge.hear(event) ?? [])).toEqual([]);
    expect(judge.conclude(START + 60_000).kind).toBe('healthy');
    const tenth = createJudge(settings(over));
    expect(three.map((event, i) => tenth.hear({ ...event, failed: i % 10 === 0 })).find(Boolean)).toMatchObject({ kind: 'harmful' });
    expect(createJudge(settings({ slo: 'relative', exposure: 1, minRequests: 0 })).conclude(START)).toMatchObject({ reason: 'no control' });
  });
});

interface Play {
  readonly share: number;
  readonly canary: number | ((ms: number) => number);
  readonly stable: number | ((ms: number) => number);
  readonly seed: number;
  readonly objective?: number;
  readonly alpha?: number;
  readonly slo?: 'both' | 'absolute' | 'relative';
}

/** Two minutes at 50 requests a second, split at random; the verdict that ends it. */
function play({ share, canary, stable, seed, ...over }: Play) {
  const random = randomFrom(seed);
  const judge = createJudge(settings({ exposure: share, ...over }));
  for (let ms = 0; ms < 120_000; ms += 20) {
    const side = random() < share ? 'canary' : 'stable';
    const failing = side === 'canary' ? canary : stable;
    const event: Evidence = request(START + ms, random() < (typeof failing === 'number' ? failing : failing(ms)), side);
    const verdict = judge.hear(event);
    if (verdict) return verdict;
  }
  return undefined;
}

function ways(n: number, k: number): number {
  let product = 1;
  for (let i = 0; i < k; i += 1) product = (product * (n - i)) / (i + 1);
  return k < 0 || k > n ? 0 : product;
}

/** The requests `from` to `to` as one block; bit n of `labels`: the n-th is the canary's. */
function blockOf(outcomes: readonly boolean[], labels: number, from: number, to: number): Block {
  const canary = (index: number) => ((labels >> index) & 1) === 1;
  const indices = Array.from({ length: to - from }, (_, index) => from + index);
  const failed = indices.filter((index) => outcomes[index]);
  const counts = {
    events: indices.length,
    canary: indices.filter(canary).length,
    failures: failed.length,
    canaryFailures: failed.filter(canary).length,
  };
  return {
    from: from * 100,
    to: to * 100,
    ...counts,
    answered: counts.events,
    reached: counts.canary,
    harmAt: from * 100,
    objective: 1,
    hidden: false,
  };
}
