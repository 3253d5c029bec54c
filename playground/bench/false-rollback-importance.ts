import type { RequestEvidence } from '../../src/domain/evidence.ts';
import { alphaFor } from '../../src/domain/judge/alpha.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import { alternatives, PRIOR } from '../../src/domain/judge/eprocess.ts';
import type { JudgeSettings } from '../../src/domain/judge/judge.ts';
import { MASS_AT_START, ODDS } from '../../src/domain/judge/relative.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/**
 * Exceedance far below what counting can reach, by importance sampling under the mixture itself (Siegmund 1976). The evidence E is the
 * likelihood ratio dQ/dP of the law Q "an alternative and a start time are drawn from the prior, then harm" to the healthy law P. So
 * P(E ever reaches b) = mean over runs drawn from Q of 1/E at the stop (0 for a run that never stops). Nearly every run of Q stops, and each
 * contributes at most 1/b: the figure has a relative error of about 1% after 10,000 runs, where counting would need 100 million.
 */
export interface Estimate {
  readonly probability: number;
  readonly standardError: number;
  /** Share of the drawn runs that stopped. */
  readonly stopped: number;
}

const COMMON = { durationMs: 60_000, startedAt: 0, minRequests: 50, canaryService: 'canary' } as const;

function estimate(runs: number, play: (chance: Chance) => number, seed: number): Estimate {
  let [sum, squares, stopped] = [0, 0, 0];
  for (let run = 0; run < runs; run += 1) {
    const weight = play(chanceFrom(seed * 1_000_003 + run));
    sum += weight;
    squares += weight * weight;
    if (weight > 0) stopped += 1;
  }
  const probability = sum / runs;
  const standardError = Math.sqrt(Math.max(0, squares / runs - probability ** 2) / runs);
  return { probability, standardError, stopped: stopped / runs };
}

/** The objective judge alone, canary exactly at the objective, `gap` ms between requests (bursts: a function of the time). */
export function objectiveExceeds(alpha: number, objective: number, gap: (ms: number) => number, runs: number): Estimate {
  const settings: JudgeSettings = { ...COMMON, objective, alpha, exposure: 1, slo: 'absolute' };
  const grid = alternatives(objective);
  const event = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 1, id: '' } as {
    -readonly [K in keyof RequestEvidence]: RequestEvidence[K];
  };
  const play = (chance: Chance): number => {
    const judge = createJudge(settings);
    const worse = grid[Math.floor(chance.uniform() * grid.length)] ?? 1;
    const { ms: from, failures: after } = startOf(chance);
    for (let [clock, ms, failures] = [0, 0, 0]; ; clock = ms) {
      ms += chance.exponential() * gap(ms);
      if (ms >= COMMON.durationMs) return 0;
      // Mass is released up to the clock before the request: that is when its turn comes.
      event.failed = chance.uniform() < (clock >= from && failures >= after ? worse : objective);
      if (event.failed) failures += 1;
      event.at = ms;
      const verdict = judge.hear(event);
      if (verdict?.kind === 'harmful') return Math.exp(-verdict.logEvidence);
    }
  };
  return estimate(runs, play, 1);
}

/** Drawn from the prior of the objective judge: from so many ms on, after so many failures. */
function startOf(chance: Chance): { readonly ms: number; readonly failures: number } {
  const part = chance.uniform();
  if (part < PRIOR.start) return { ms: 0, failures: 0 };
  if (part < PRIOR.start + PRIOR.time) return { ms: chance.uniform() * COMMON.durationMs, failures: 0 };
  // P(N = n) = 1/(n (n + 1)).
  return { ms: 0, failures: Math.floor(1 / (1 - chance.uniform())) };
}

/** Requests of one block at a share of one half, 20 ms apart. */
const BLOCK = 8;

/** The relative judge alone, both sides failing alike, half of the requests each, so that every block has eight requests. */
export function relativeExceeds(alpha: number, failing: number, runs: number): Estimate {
  const settings: JudgeSettings = { ...COMMON, objective: 0.01, alpha, exposure: 0.5, slo: 'relative' };
  const event = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 1, id: '' } as {
    -readonly [K in keyof RequestEvidence]: RequestEvidence[K];
  };
  const play = (chance: Chance): number => {
    const judge = createJudge(settings);
    const odds = ODDS[Math.floor(chance.uniform() * ODDS.length)] ?? 1;
    const from = chance.uniform() < MASS_AT_START ? 0 : chance.uniform() * COMMON.durationMs;
    for (let [clock, ms] = [0, 0]; ms < COMMON.durationMs; ) {
      const block = drawBlock(chance, failing, clock >= from ? odds : 1);
      for (const [canary, failed] of block) {
        ms += 20;
        [event.at, event.side, event.failed] = [ms, canary ? 'canary' : 'stable', failed];
        const verdict = judge.hear(event);
        if (verdict?.kind === 'harmful') return Math.exp(-verdict.logEvidence);
      }
      clock = ms;
    }
    return 0;
  };
  return estimate(runs, play, 2);
}

/** Outcomes and failures as when healthy; which of them are the canary's by Fisher's noncentral law with these odds. */
function drawBlock(chance: Chance, failing: number, odds: number): readonly (readonly [boolean, boolean])[] {
  let [canary, failures] = [0, 0];
  for (let i = 0; i < BLOCK; i += 1) {
    if (chance.uniform() < 0.5) canary += 1;
    if (chance.uniform() < failing) failures += 1;
  }
  const least = Math.max(0, failures - (BLOCK - canary));
  const weights = Array.from({ length: Math.min(failures, canary) - least + 1 }, (_, i) => {
    const c = least + i;
    return choose(canary, c) * choose(BLOCK - canary, failures - c) * odds ** c;
  });
  let left = chance.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  let failed = least;
  for (const weight of weights) {
    left -= weight;
    if (left < 0) break;
    failed += 1;
  }
  failed = Math.min(failed, Math.min(failures, canary));
  return Array.from({ length: BLOCK }, (_, i) => {
    const isCanary = i < canary;
    return [isCanary, isCanary ? i < failed : i - canary < failures - failed] as const;
  });
}

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 0; i < k; i += 1) product = (product * (n - i)) / (i + 1);
  return product;
}

export interface ImportanceCell {
  readonly cell: string;
  /** The judge's part of alpha in this watch, which must not be exceeded. */
  readonly alpha: number;
  readonly runs: number;
  readonly estimate: Estimate;
}

/** Both statistical judges in each watch of an operation at `alpha`, each with its part; one at a time, since each takes seconds. */
export function* importanceCells(alpha: number, watches: number, runs: number): Generator<ImportanceCell> {
  const bursts = (ms: number) => (ms % 15_000 < 3_000 ? 5 : 80);
  for (let watch = 1; watch <= watches; watch += 1) {
    const part = alphaFor(alpha, watch) / 2;
    const cells: readonly (readonly [string, () => Estimate])[] = [
      ['objective 1%, canary at 1%', () => objectiveExceeds(part, 0.01, () => 30, runs)],
      ['objective 5%, canary at 5%', () => objectiveExceeds(part, 0.05, () => 30, runs)],
      ['objective 1%, canary at 1%, bursts', () => objectiveExceeds(part, 0.01, bursts, runs)],
      ['relative, both at 5%', () => relativeExceeds(part, 0.05, runs)],
      ['relative, both at 1%', () => relativeExceeds(part, 0.01, runs)],
    ];
    for (const [name, play] of cells) yield { cell: `${name}, watch ${watch}`, alpha: part, runs, estimate: play() };
  }
}
