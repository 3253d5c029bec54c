import { likelihoodRatio } from './hypergeometric.ts';

/**
 * Evidence against "the canary does no worse than its control in the same window", from labelled events: canary or control, failed or not.
 *
 * Events are taken in blocks that close after a number of events, or after a time, decided before the block begins and without regard to
 * labels or outcomes inside it. Given how many events n, canary events m and failures K a block has, the canary's failures C are
 * hypergeometric when the two sides are alike; with odds r times the control's they follow Fisher's noncentral hypergeometric law
 * (Fisher 1935). Their ratio is the block's likelihood ratio, and its mean is 1 when the sides are alike, at most 1 when the canary is better.
 *
 * This is the conditional binomial test of failures with the realised share of requests, made exact: a share that is estimated from
 * earlier events is wrong by chance, and each failure would pay for that with a ratio whose mean is above 1. Here the share is that of
 * the block itself. As traffic is split at random, the labels of a block are a random arrangement, so the mean is 1 whatever the failure
 * share does meanwhile: outages that hit both sides, bursts and drift cost nothing.
 * What breaks it: a split that is not random per request (sticky sessions) together with failures that depend on the client.
 *
 * Events of one and the same time are never parted: a look at counters tells its sums side by side and outcome by outcome, and a border in
 * between would give one block the failures and another one the requests they belong to.
 *
 * Mixtures over odds and over start times as in eprocess.ts; mass is released at the beginning of a block.
 */
export const ODDS: readonly number[] = [1.5, 2, 3, 5, 10, 30, 100];
/** Prior mass of "worse from the first request on"; the rest is uniform over the watch. */
export const MASS_AT_START = 0.5;
/** A block waits no longer than this for its events (ms of event time): the price in delay at little traffic. */
const BLOCK_MS = 1_000;
const LARGEST_BLOCK = 200;
const SMALLEST_BLOCK = 8;
/** Canary (or control) events that a block is meant to hold. */
const MEANT_EACH = 2;

export interface RelativeSnapshot {
  readonly sums: readonly number[];
  readonly remaining: number;
  readonly released: number;
  readonly runs: readonly number[];
  readonly since: readonly number[];
  /** The open block: its size, events, canary events, failures, canary failures, time of opening, first canary failure (-1 = none), time of
   *  the last event. */
  readonly block: readonly number[];
}

/** How a relative evidence is set up. Times in milliseconds of event time. */
export interface RelativeSetup {
  readonly startedAt: number;
  readonly durationMs: number;
  /** Expected share of the canary, 0..1: decides the size of the blocks only. */
  readonly share: number;
}

export class RelativeEvidence {
  readonly #setup: RelativeSetup;
  readonly #sums: Float64Array;
  readonly #runs: Float64Array;
  readonly #since: Float64Array;
  #remaining: number;
  #released: number;
  #size: number;
  #events = 0;
  #canary = 0;
  #failures = 0;
  #canaryFailures = 0;
  #openedAt = 0;
  #harmAt = -1;
  #lastAt = 0;

  constructor(setup: RelativeSetup, from?: RelativeSnapshot) {
    this.#setup = setup;
    this.#sums = Float64Array.from(from?.sums ?? ODDS.map(() => MASS_AT_START));
    this.#runs = Float64Array.from(from?.runs ?? ODDS.map(() => 0));
    this.#since = Float64Array.from(from?.since ?? ODDS.map(() => -1));
    this.#remaining = from?.remaining ?? 1 - MASS_AT_START;
    this.#released = from?.released ?? setup.startedAt;
    this.#size = sizeFor(setup.share);
    if (!from) return;
    const [size, events, canary, failures, canaryFailures, openedAt, harmAt, lastAt] = from.block;
    this.#size = size ?? this.#size;
    this.#events = events ?? 0;
    this.#canary = canary ?? 0;
    this.#failures = failures ?? 0;
    this.#canaryFailures = canaryFailures ?? 0;
    this.#openedAt = openedAt ?? 0;
    this.#harmAt = harmAt ?? -1;
    this.#lastAt = lastAt ?? 0;
  }

  /**
   * Before each event of any kind, with its time and the latest time heard, itself included. True when a block that holds failures of a
   * mixed company was closed, so that the evidence may have changed.
   */
  pass(at: number, clock: number): boolean {
    if (this.#events === 0 || at === this.#lastAt) return false;
    return this.#events >= this.#size || clock - this.#openedAt >= BLOCK_MS ? this.#close() : false;
  }

  /** Takes one event; `clock` is the latest time heard before it. */
  add(canary: boolean, failed: boolean, at: number, clock: number): void {
    if (this.#events === 0) this.#open(clock);
    this.#events += 1;
    this.#lastAt = at;
    if (canary) this.#canary += 1;
    if (!failed) return;
    this.#failures += 1;
    if (!canary) return;
    this.#canaryFailures += 1;
    if (this.#harmAt === -1) this.#harmAt = at;
  }

  #open(clock: number): void {
    this.#openedAt = clock;
    const mass = ((clock - this.#released) / Math.max(1, this.#setup.durationMs)) * (1 - MASS_AT_START);
    this.#released = clock;
    const released = Math.min(this.#remaining, Math.max(0, mass));
    this.#remaining -= released;
    for (let j = 0; j < this.#sums.length; j += 1) this.#sums[j] = (this.#sums[j] as number) + released;
  }

  #close(): boolean {
    const [events, canary, failures, canaryFailures] = [this.#events, this.#canary, this.#failures, this.#canaryFailures];
    const harmAt = this.#harmAt;
    this.#events = this.#canary = this.#failures = this.#canaryFailures = 0;
    this.#harmAt = -1;
    // Known before the next block begins, so its size may follow the share.
    this.#size = sizeFor((this.#setup.share + canary / events) / 2);
    if (failures === 0 || canary === 0 || canary === events) return false;
    for (let j = 0; j < this.#sums.length; j += 1) {
      const ratio = likelihoodRatio(events, canary, failures, canaryFailures, ODDS[j] as number);
      this.#sums[j] = (this.#sums[j] as number) * ratio;
      const run = Math.max(0, (this.#runs[j] as number) + Math.log(ratio));
      this.#runs[j] = run;
      if (run === 0) this.#since[j] = -1;
      else if (this.#since[j] === -1) this.#since[j] = harmAt;
    }
    return true;
  }

  /** The evidence as odds; 1 in the beginning. */
  value(): number {
    let total = 0;
    for (let j = 0; j < this.#sums.length; j += 1) total += this.#sums[j] as number;
    return total / this.#sums.length + this.#remaining;
  }

  /** Event time of the first canary failure of the run that carries most of the evidence. */
  firstHarmAt(): number | undefined {
    let most = 0;
    for (let j = 1; j < this.#sums.length; j += 1) if ((this.#sums[j] as number) > (this.#sums[most] as number)) most = j;
    const at = this.#since[most] ?? -1;
    return at === -1 ? undefined : at;
  }

  snapshot(): RelativeSnapshot {
    return {
      sums: [...this.#sums],
      remaining: this.#remaining,
      released: this.#released,
      runs: [...this.#runs],
      since: [...this.#since],
      block: [this.#size, this.#events, this.#canary, this.#failures, this.#canaryFailures, this.#openedAt, this.#harmAt, this.#lastAt],
    };
  }
}

/** Large enough to hold a few of the rarer side. */
function sizeFor(share: number): number {
  const rarer = Math.min(share, 1 - share);
  return Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, Math.ceil(MEANT_EACH / Math.max(rarer, 1e-6))));
}
