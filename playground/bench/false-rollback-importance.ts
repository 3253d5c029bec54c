import { type Healthy, Ours } from './false-rollback-play.ts';
import { type Draws, HealthyTraffic } from './false-rollback-traffic.ts';
import { type Chance, chanceFrom } from './judge-chance.ts';

/**
 * Exceedance far below what counting can reach, by importance sampling (Siegmund 1976). Operations are drawn from a law Q under which the canary
 * turns bad: at a moment and in a way that are drawn from a prior, or never. With L = dQ/dP, the likelihood ratio of the mixture to the healthy law
 * P, P(ever rolled back) = mean over runs drawn from Q of 1/L at the verdict (0 for a run without one). What Q draws need not be what the judge
 * assumes; the nearer it is, the smaller is the error. As some of Q is P itself, no run weighs more than 1/NEVER.
 */
export interface Estimate {
  readonly probability: number;
  readonly standardError: number;
  /** Share of the drawn runs that were rolled back. */
  readonly stopped: number;
}

/** What Q changes: how many times as often the canary fails (at most nearly always), the odds that a failure is the canary's, or its share. */
const CHANGES = [
  ...[3, 8, 25, 95].map((factor) => ({ kind: 'rate', factor }) as const),
  ...[2, 5, 15, 100].map((factor) => ({ kind: 'label', factor }) as const),
  { kind: 'share', factor: 0.02 } as const,
];
type Change = (typeof CHANGES)[number];
const MOST = 0.95;
/** Parts of the prior: that nothing ever changes, and that it does at the beginning of a watch; the rest is uniform over the operation. */
const NEVER = 0.1;
const AT_BEGINNINGS = 0.35;

/** Whole operations of this cell at this alpha. */
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
  const { exposures, watchMs } = cell;
  const judge = new Ours(cell, alpha);
  const tilted = new Tilted(watchMs, chance);
  let startedAt = 0;
  for (let index = 0; index < exposures.length; index += 1) {
    const [exposure, durationMs] = [exposures[index] ?? 1, watchMs[index] ?? 0];
    judge.begin(index, startedAt);
    const traffic = new HealthyTraffic(cell, exposure, durationMs, startedAt, chance, tilted);
    if (traffic.play((event) => judge.hear(event))) return 1 / tilted.likelihood();
    startedAt += durationMs;
  }
  return 0;
}

function labelled(share: number, odds: number): number {
  return (odds * share) / (odds * share + 1 - share);
}

/** Where the canary gets everything it stays so. */
function sharesNow(share: number, factor: number): number {
  return share === 1 ? 1 : factor * share;
}

function failsNow(p: number, factor: number): number {
  return Math.max(p, Math.min(MOST, factor * p));
}

/** Draws from Q, and dQ/dP of what was drawn so far. */
class Tilted implements Draws {
  readonly #begins: readonly number[];
  readonly #wholeMs: number;
  readonly #chance: Chance;
  readonly #change: Change | undefined;
  readonly #from: number;
  readonly #sums = new Float64Array(CHANGES.length);
  /** The beginnings that are still to come. */
  #next = 0;
  #left = 1;
  #clock = -1;

  constructor(watchMs: readonly number[], chance: Chance) {
    this.#begins = watchMs.map((_, index) => watchMs.slice(0, index).reduce((sum, ms) => sum + ms, 0));
    this.#wholeMs = watchMs.reduce((sum, ms) => sum + ms, 0);
    this.#chance = chance;
    this.#change = CHANGES[Math.floor(chance.uniform() * CHANGES.length)];
    this.#from = this.#draw(chance.uniform());
  }

  /** When it turns bad. */
  #draw(part: number): number {
    if (part < NEVER) return Number.POSITIVE_INFINITY;
    if (part >= NEVER + AT_BEGINNINGS) return this.#chance.uniform() * this.#wholeMs;
    return this.#begins[Math.floor(this.#chance.uniform() * this.#begins.length)] ?? 0;
  }

  request(at: number, share: number, failing: { readonly canary: number; readonly stable: number }) {
    this.#release(at);
    const { isCanary, failed } = this.#request(share, failing, at >= this.#from ? this.#change : undefined);
    const p = isCanary ? failing.canary : failing.stable;
    const ofFailures = (share * failing.canary) / (share * failing.canary + (1 - share) * failing.stable);
    for (let j = 0; j < CHANGES.length; j += 1) {
      const change = CHANGES[j] as Change;
      // Most requests are the control's and succeed: only a changed share makes a difference there.
      if (!isCanary && !failed && change.kind !== 'share') continue;
      this.#sums[j] = (this.#sums[j] as number) * ratioOf(change, { isCanary, failed, p, share, ofFailures });
    }
    return { isCanary, failed };
  }

  #request(share: number, { canary, stable }: { readonly canary: number; readonly stable: number }, change: Change | undefined) {
    const chance = this.#chance;
    if (change?.kind === 'label') {
      const fails = share * canary + (1 - share) * stable;
      const failed = chance.uniform() < fails;
      const own = failed ? labelled((share * canary) / fails, change.factor) : (share * (1 - canary)) / (1 - fails);
      return { failed, isCanary: chance.uniform() < own };
    }
    const isCanary = chance.uniform() < (change?.kind === 'share' ? sharesNow(share, change.factor) : share);
    const p = isCanary ? canary : stable;
    return { isCanary, failed: chance.uniform() < (isCanary && change?.kind === 'rate' ? failsNow(p, change.factor) : p) };
  }

  isDropped(at: number, dropped: number): boolean {
    const change = at >= this.#from ? this.#change : undefined;
    const isDropped = this.#chance.uniform() < (change?.kind === 'rate' ? failsNow(dropped, change.factor) : dropped);
    CHANGES.forEach(({ kind, factor }, j) => {
      if (kind === 'rate') this.#sums[j] = (this.#sums[j] as number) * ratio(isDropped, failsNow(dropped, factor), dropped);
    });
    return isDropped;
  }

  #release(at: number): void {
    let begun = 0;
    for (; this.#next < this.#begins.length && (this.#begins[this.#next] as number) <= at; this.#next += 1) begun += 1;
    const passed = (at - Math.max(0, this.#clock)) / this.#wholeMs;
    const mass = (AT_BEGINNINGS * begun) / this.#begins.length + (1 - AT_BEGINNINGS - NEVER) * passed;
    this.#clock = at;
    this.#left -= mass;
    for (let j = 0; j < CHANGES.length; j += 1) this.#sums[j] = (this.#sums[j] as number) + mass / CHANGES.length;
  }

  likelihood(): number {
    return this.#sums.reduce((sum, each) => sum + each, this.#left);
  }
}

interface Drawn {
  readonly isCanary: boolean;
  readonly failed: boolean;
  /** Failure share of its side, the canary's share, and its share of all failures, as healthy. */
  readonly p: number;
  readonly share: number;
  readonly ofFailures: number;
}

/** How much likelier under a change what was drawn is than when healthy. */
function ratioOf({ kind, factor }: Change, { isCanary, failed, p, share, ofFailures }: Drawn): number {
  if (kind === 'rate') return isCanary ? ratio(failed, failsNow(p, factor), p) : 1;
  if (kind === 'share') return ratio(isCanary, sharesNow(share, factor), share);
  return failed ? ratio(isCanary, labelled(ofFailures, factor), ofFailures) : 1;
}

function ratio(happened: boolean, bad: number, healthy: number): number {
  if (bad === healthy) return 1;
  return happened ? bad / healthy : (1 - bad) / (1 - healthy);
}
