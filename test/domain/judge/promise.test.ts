import { describe, expect, it } from 'vitest';
import { createJudge } from '../../../src/domain/judge/create.ts';
import { alternatives, Objective } from '../../../src/domain/judge/objective.ts';
import { randomFrom, START, settings, type Traffic, traffic } from './traffic.ts';

const ALPHA = 0.05;
const RUNS = 1_000;
/** Three standard deviations of a binomial share: a right judge fails this once in 700 times, and the seed is fixed. `npm run bench -- false-rollback` counts more. */
const TOLERANCE = 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / RUNS);

/** Share of runs in which a canary that only just keeps its objective is called harmful at any time. */
function everHarmful(over: Omit<Traffic, 'random' | 'durationMs'>, seed: number): number {
  const random = randomFrom(seed);
  let harmful = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const judge = createJudge(settings({ alpha: ALPHA, durationMs: 60_000 }));
    for (const event of traffic({ ...over, durationMs: 60_000, random })) {
      if (judge.hear(event)?.kind !== 'harmful') continue;
      harmful += 1;
      break;
    }
  }
  return harmful / RUNS;
}

describe('the promise: a healthy canary is ever called harmful with probability at most alpha', () => {
  it('at the boundary, steady traffic', () => {
    const share = everHarmful({ rate: () => 20, failing: () => 0.01 }, 1);
    console.info(`false alarms at p = p0, steady: ${(share * 100).toFixed(2)}% (alpha 5%)`);
    expect(share).toBeLessThan(ALPHA + TOLERANCE);
    // It must be able to fire at all, or the bound proves nothing.
    expect(share).toBeGreaterThan(0.002);
  });

  it('with traffic that comes in bursts and failures that come in phases within the objective', () => {
    const share = everHarmful({ rate: (ms) => (ms % 10_000 < 2_000 ? 80 : 3), failing: (ms) => (ms % 7_000 < 5_000 ? 0.01 : 0.001) }, 2);
    console.info(`false alarms at p <= p0, bursts: ${(share * 100).toFixed(2)}%`);
    expect(share).toBeLessThan(ALPHA + TOLERANCE);
  });

  it('holds where a failure is slow and so comes after a long silence', () => {
    const random = randomFrom(3);
    let harmful = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const judge = createJudge(settings({ alpha: ALPHA, durationMs: 60_000 }));
      for (let at = START; at < START + 60_000; ) {
        const failed = random() < 0.01;
        at += failed ? 2_000 : 30;
        if (judge.hear({ kind: 'request', at, seenAt: at, side: 'canary', failed, latencyMs: 1, id: String(at) })?.kind !== 'harmful')
          continue;
        harmful += 1;
        break;
      }
    }
    console.info(`false alarms at p = p0, slow failures: ${((harmful / RUNS) * 100).toFixed(2)}%`);
    expect(harmful / RUNS).toBeLessThan(ALPHA + TOLERANCE);
  });

  it('because the mean of the evidence is exactly 1 at the boundary, for every pattern of failures, over watches and guards', () => {
    const p0 = 0.2;
    const count = 9;
    let mean = 0;
    for (let pattern = 0; pattern < 2 ** count; pattern += 1) {
      const evidence = new Objective(p0, { watches: 2, ms: 900 });
      let probability = 1;
      for (let index = 0; index < count; index += 1) {
        const at = index * 100;
        if (index % 3 === 0) evidence.begin(at, index === 3 ? undefined : { start: 0.4, failures: 0.6 });
        const failed = ((pattern >> index) & 1) === 1;
        probability *= failed ? p0 : 1 - p0;
        if (failed) evidence.fail({ start: at, asked: false, at }, at);
        else evidence.succeed(false, at);
      }
      mean += probability * evidence.value();
    }
    expect(mean).toBeCloseTo(1, 10);
  });

  it('and never above 1 where answers come in another order than requests, open ones counting as successes', () => {
    // Six requests 10 ms apart; failures answered 35 ms later than successes, and the other way round. All answers in.
    const p0 = 0.3;
    for (const [slowFailure, slowSuccess] of [
      [35, 1],
      [1, 35],
    ] as const) {
      for (const asked of [true, false]) {
        let mean = 0;
        for (let pattern = 0; pattern < 2 ** 6; pattern += 1) {
          const evidence = new Objective(p0, { watches: 1, ms: 60 });
          evidence.begin(0, { start: 0.9, failures: 0.9 });
          let probability = 1;
          const events = Array.from({ length: 6 }, (_, index) => {
            const failed = ((pattern >> index) & 1) === 1;
            probability *= failed ? p0 : 1 - p0;
            const start = index * 10;
            return { failed, start, at: start + (failed ? slowFailure : slowSuccess) };
          });
          const steps = asked ? events.map(({ start }) => ({ at: start, run: () => evidence.ask(start) })) : [];
          const answers = events.map(({ failed, start, at }) => ({
            at,
            run: () => (failed ? evidence.fail({ start, asked, at }, at) : evidence.succeed(asked, at)),
          }));
          for (const { run } of [...steps, ...answers].toSorted((a, b) => a.at - b.at)) run();
          mean += probability * evidence.value();
        }
        expect(mean).toBeLessThanOrEqual(1 + 1e-9);
        expect(mean).toBeGreaterThan(0.5);
      }
    }
  });

  it('has an alternative for every objective that can be set', () => {
    for (const p0 of [0.00001, 0.001, 0.01, 0.05, 0.5]) expect(alternatives(p0).length).toBeGreaterThan(0);
  });
});

describe('what it costs to notice harm', () => {
  /** Failures seen until the verdict, sorted, when harm begins at a random moment of a 2-minute watch at 10 canary requests/s. */
  function failuresUntil(share: number, seed: number, onset: (random: () => number) => number, runs = 400) {
    const random = randomFrom(seed);
    const seen: number[] = [];
    const seconds: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const begins = onset(random);
      const judge = createJudge(settings());
      const events = traffic({ rate: () => 10, failing: (ms) => (ms < begins ? 0.001 : share), durationMs: 180_000, random });
      for (const event of events) {
        const verdict = judge.hear(event);
        if (verdict?.kind !== 'harmful') continue;
        if (verdict.decidedAt - START < begins) break;
        seen.push(judge.counts.canary.failures);
        seconds.push((verdict.decidedAt - START - begins) / 1000);
        break;
      }
    }
    return { found: seen.length, failures: seen.toSorted((a, b) => a - b), seconds: seconds.toSorted((a, b) => a - b) };
  }
  const at = (sorted: readonly number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.POSITIVE_INFINITY;
  const line = (name: string, { found, failures, seconds }: ReturnType<typeof failuresUntil>, runs = 400) =>
    console.info(
      `${name}: noticed in ${found}/${runs}, failures p50 ${at(failures, 0.5)} p95 ${at(failures, 0.95)}, seconds p50 ${at(seconds, 0.5).toFixed(1)} p95 ${at(seconds, 0.95).toFixed(1)}`,
    );
  const anywhere = (random: () => number) => 10_000 + random() * 100_000;

  it('every request fails from a random moment on: a handful of failures', () => {
    const result = failuresUntil(1, 11, anywhere);
    line('100% from a random moment', result);
    expect(result.found).toBe(400);
    expect(at(result.failures, 0.5)).toBeLessThanOrEqual(5);
    expect(at(result.failures, 0.95)).toBeLessThanOrEqual(7);
  });

  it('every request fails from the start', () => {
    const result = failuresUntil(1, 12, () => 0);
    line('100% from the start', result);
    expect(at(result.failures, 0.95)).toBeLessThanOrEqual(3);
  });

  it('a tenth fails from a random moment on, or from the start', () => {
    const late = failuresUntil(0.1, 13, anywhere);
    const early = failuresUntil(0.1, 14, () => 0);
    line('10% from a random moment', late);
    line('10% from the start', early);
    expect(late.found).toBe(400);
    expect(at(late.failures, 0.5)).toBeLessThanOrEqual(14);
    expect(at(early.failures, 0.5)).toBeLessThanOrEqual(8);
  });

  it('three in a hundred fail from the start', () => {
    const result = failuresUntil(0.03, 15, () => 0);
    line('3% from the start', result);
    expect(result.found).toBeGreaterThan(320);
  });
});
