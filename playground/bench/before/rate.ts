import { MASS_AT_START } from './relative.ts';

/**
 * Evidence against "events come at a rate of at most `rate`" (per ms): a Poisson test martingale, mixed over multiples of the rate and
 * over start times. For a multiple r it is r^k exp(-(r - 1) rate t) after k events in t (Wald 1945); mass that is handed out evenly at
 * m per ms while c = (r - 1) rate eats at it has grown to m (1 - exp(-c t)) / c.
 */
export interface RateSnapshot {
  readonly sums: readonly number[];
  readonly remaining: number;
  readonly clock: number;
  readonly since: number;
}

const MULTIPLES: readonly number[] = [2, 3, 5, 10, 30, 100];

export class RateEvidence {
  readonly #rate: number;
  readonly #perMs: number;
  readonly #sums: Float64Array;
  #remaining: number;
  #clock: number;
  #since: number;

  constructor(setup: { readonly rate: number; readonly startedAt: number; readonly durationMs: number }, from?: RateSnapshot) {
    this.#rate = setup.rate;
    this.#perMs = (1 - MASS_AT_START) / Math.max(1, setup.durationMs);
    this.#sums = Float64Array.from(from?.sums ?? MULTIPLES.map(() => MASS_AT_START));
    this.#remaining = from?.remaining ?? 1 - MASS_AT_START;
    this.#clock = from?.clock ?? setup.startedAt;
    this.#since = from?.since ?? -1;
  }

  /** One event at `clock`, the latest time heard. */
  add(clock: number): void {
    this.pass(clock);
    if (this.#since === -1 || this.value() < 1) this.#since = clock;
    for (let j = 0; j < MULTIPLES.length; j += 1) this.#sums[j] = (this.#sums[j] as number) * (MULTIPLES[j] as number);
  }

  /** Time has come to `clock`. */
  pass(clock: number): void {
    const elapsed = clock - this.#clock;
    if (elapsed <= 0) return;
    this.#clock = clock;
    const handing = Math.min(elapsed, this.#remaining / this.#perMs);
    this.#remaining = Math.max(0, this.#remaining - handing * this.#perMs);
    for (let j = 0; j < MULTIPLES.length; j += 1) {
      const eaten = ((MULTIPLES[j] as number) - 1) * this.#rate;
      const fresh = (this.#perMs * -Math.expm1(-eaten * handing)) / eaten;
      this.#sums[j] = (this.#sums[j] as number) * Math.exp(-eaten * elapsed) + fresh * Math.exp(-eaten * (elapsed - handing));
    }
  }

  /** The evidence as odds at the last event; 1 in the beginning. */
  value(): number {
    let total = 0;
    for (const sum of this.#sums) total += sum;
    return total / MULTIPLES.length + this.#remaining;
  }

  /** When the events began that raised it. */
  firstHarmAt(): number | undefined {
    return this.#since === -1 ? undefined : this.#since;
  }

  snapshot(): RateSnapshot {
    return { sums: [...this.#sums], remaining: this.#remaining, clock: this.#clock, since: this.#since };
  }
}

/**
 * Upper confidence bound of a Poisson rate after `count` events in `ms`: the rate at which so few or fewer have probability `alpha`
 * (Garwood 1936). Infinite when nothing was observed.
 */
export function rateBound(count: number, ms: number, alpha: number): number {
  if (!(ms > 0)) return Number.POSITIVE_INFINITY;
  let low = count;
  let high = count + 10;
  while (atMost(count, high) > alpha) high *= 2;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (atMost(count, middle) > alpha) low = middle;
    else high = middle;
  }
  return high / ms;
}

/** P(X <= count) for a Poisson mean; summed from the largest term down, in logarithms against underflow. */
function atMost(count: number, mean: number): number {
  let log = -mean;
  let sum = Math.exp(log);
  for (let k = 1; k <= count; k += 1) {
    log += Math.log(mean / k);
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
}
