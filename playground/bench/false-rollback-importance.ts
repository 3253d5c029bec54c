import type { RequestEvidence } from '../../src/domain/evidence.ts';
import { type Healthy, Ours } from './false-rollback-play.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/**
 * Exceedance far below what counting can reach, by importance sampling (Siegmund 1976). Operations are drawn from a law Q under which the canary
 * turns bad: at a moment and in a way that are drawn from a prior. With L = dQ/dP, the likelihood ratio of the mixture to the healthy law P,
 * P(ever rolled back) = mean over runs drawn from Q of 1/L at the verdict (0 for a run without one). What Q draws need not be what the judge
 * assumes; the nearer it is, the smaller is the error.
 */
export interface Estimate {
  readonly probability: number;
  readonly standardError: number;
  /** Share of the drawn runs that were rolled back. */
  readonly stopped: number;
}

/** What Q changes: how many times as often the canary fails (at most nearly always), or the odds that a failure is the canary's. */
const CHANGES = [
  ...[3, 8, 25, 95].map((factor) => ({ kind: 'rate', factor }) as const),
  ...[2, 5, 15, 100].map((factor) => ({ kind: 'label', factor }) as const),
];
const MOST = 0.95;
/** Part of the prior that lies at the beginnings of watches; the rest is uniform over the operation. */
const AT_BEGINNINGS = 0.4;

/** Whole operations of this cell at this alpha; failures must be independent, alike on both sides, and answered at once. */
export function exceeds(cell: Healthy, alpha: number, runs: number): Estimate {
  let [sum, squares, stopped] = [0, 0, 0];
  for (let run = 0; run < runs; run += 1) {
    const weight = play(cell, alpha, chanceFrom(7_000_003 + run));
    sum += weight;
    squares += weight * weight;
    if (weight > 0) stopped += 1;
  }
  const probability = sum / runs;
  const standardError = Math.sqrt(Math.max(0, squares / runs - probability ** 2) / runs);
  return { probability, standardError, stopped: stopped / runs };
}

/** One operation drawn from Q; 1/L where it was rolled back, else 0. */
function play(cell: Healthy, alpha: number, chance: Chance): number {
  const { exposures, watchMs, rate, canary, stable } = cell;
  const judge = new Ours(cell, alpha);
  const change = CHANGES[Math.floor(chance.uniform() * CHANGES.length)] ?? CHANGES[0];
  const likelihood = new Likelihood(watchMs);
  const from = likelihood.draw(chance);
  const event = { kind: 'request', at: 0, seenAt: 0, side: 'canary', failed: false, latencyMs: 0, openMs: 0, id: '' } as {
    -readonly [K in keyof RequestEvidence]: RequestEvidence[K];
  };
  let startedAt = 0;
  for (let index = 0; index < exposures.length; index += 1) {
    const [exposure, durationMs] = [exposures[index] ?? 1, watchMs[index] ?? 0];
    judge.begin(index, startedAt);
    for (let ms = 0; ; ) {
      ms += (chance.exponential() * 1_000) / rate(ms);
      if (ms >= durationMs) break;
      event.at = startedAt + ms;
      const now = change && event.at >= from ? change : undefined;
      const healthy = { canary: canary(ms), stable: stable(ms) };
      const { isCanary, failed } = drawn(chance, exposure, healthy, now);
      event.side = isCanary ? 'canary' : 'stable';
      event.failed = failed;
      likelihood.hear(event.at, isCanary, failed, healthy.canary, exposure);
      if (judge.hear(event)) return 1 / likelihood.value();
    }
    startedAt += durationMs;
  }
  return 0;
}

type Change = (typeof CHANGES)[number];

/** One request under Q. Labels are changed where both sides fail alike: there the label of a failure is the canary's with its share. */
function drawn(
  chance: Chance,
  exposure: number,
  healthy: { readonly canary: number; readonly stable: number },
  change: Change | undefined,
): { readonly isCanary: boolean; readonly failed: boolean } {
  if (change?.kind === 'label') {
    const failed = chance.uniform() < healthy.stable;
    return { failed, isCanary: chance.uniform() < (failed ? labelled(exposure, change.factor) : exposure) };
  }
  const isCanary = chance.uniform() < exposure;
  const p = isCanary ? Math.min(MOST, (change?.factor ?? 1) * healthy.canary) : healthy.stable;
  return { isCanary, failed: chance.uniform() < p };
}

function labelled(exposure: number, odds: number): number {
  return (odds * exposure) / (odds * exposure + 1 - exposure);
}

/** How much likelier under a change what was drawn is than when healthy. */
function ratioOf({ kind, factor }: Change, canary: boolean, failed: boolean, p: number, exposure: number): number {
  if (kind === 'rate') {
    if (!canary) return 1;
    const bad = Math.min(MOST, factor * p);
    return failed ? bad / p : (1 - bad) / (1 - p);
  }
  if (!failed || exposure === 1) return 1;
  const share = labelled(exposure, factor);
  return canary ? share / exposure : (1 - share) / (1 - exposure);
}

/** dQ/dP of what was drawn so far. */
class Likelihood {
  readonly #begins: readonly number[];
  readonly #wholeMs: number;
  readonly #sums = CHANGES.map(() => 0);
  #left = 1;
  #clock = -1;

  constructor(watchMs: readonly number[]) {
    this.#begins = watchMs.map((_, index) => watchMs.slice(0, index).reduce((sum, ms) => sum + ms, 0));
    this.#wholeMs = watchMs.reduce((sum, ms) => sum + ms, 0);
  }

  /** When it turns bad. */
  draw(chance: Chance): number {
    if (chance.uniform() >= AT_BEGINNINGS) return chance.uniform() * this.#wholeMs;
    return this.#begins[Math.floor(chance.uniform() * this.#begins.length)] ?? 0;
  }

  hear(at: number, canary: boolean, failed: boolean, p: number, exposure: number): void {
    const begun = this.#begins.filter((begin) => begin > this.#clock && begin <= at).length;
    const passed = (at - Math.max(0, this.#clock)) / this.#wholeMs;
    const mass = (AT_BEGINNINGS * begun) / this.#begins.length + (1 - AT_BEGINNINGS) * passed;
    this.#clock = at;
    this.#left -= mass;
    CHANGES.forEach((change, j) => {
      this.#sums[j] = ((this.#sums[j] ?? 0) + mass / CHANGES.length) * ratioOf(change, canary, failed, p, exposure);
    });
  }

  value(): number {
    return this.#sums.reduce((sum, each) => sum + each, this.#left);
  }
}
