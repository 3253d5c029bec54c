/**
 * How the evidence is spread before anything is heard: over the times at which harm may begin. Each test begins
 * at 1 as the sum of these masses. A mass is released when its turn comes, known before what it is multiplied by; until then it stays 1 to 1.
 */

/** Harm begins with a watch, at some moment, or after the n-th failure of the canary with weight 1/(n (n + 1)). They sum to 1. */
export const MASS = { start: 0.33, time: 0.06, failures: 0.61 } as const;
/** Part of the first watch, and of all watches that were not planned; the others that were share the rest. */
export const FIRST = { start: 0.75, failures: 0.7 } as const;
const UNPLANNED = 0.1;

/** What an operation means to do: watches (the afterwatch counts as one), and their length in all (ms). */
export interface Planned {
  readonly watches: number;
  readonly ms: number;
}

/** Part of a mass that the n-th watch (from 1) gets. Over all watches there could ever be the parts sum to at most 1 (Basel problem). */
export function partOf(watch: number, { watches }: Planned, first: number): number {
  if (watch > watches) return (UNPLANNED * 6) / (Math.PI * (watch - watches)) ** 2;
  if (watches === 1) return 1 - UNPLANNED;
  return watch === 1 ? first : (1 - first - UNPLANNED) / (watches - 1);
}

/** What of the prior is not released yet. */
export interface MassesSnapshot {
  /** For the start of watches, for time, and for failures in watches to come. */
  readonly left: readonly [number, number, number];
  /** For failures in this watch: the pool as it was when the watch began, and the failures that have drawn on it. */
  readonly pool: readonly [number, number];
  /** Event time up to which time's mass is released. */
  readonly released: number;
}

/** Parts of the masses that a watch brings; a guard brings none. */
export interface Parts {
  readonly start: number;
  readonly failures: number;
}

/** The masses of one test, and how they are released: each method gives back what it releases. */
export class Masses {
  readonly #planned: Planned;
  #start: number;
  #time: number;
  #next: number;
  #pool: number;
  #failures: number;
  /** What of the pool is left: pool / (failures + 1). */
  #rest: number;
  #released: number;

  /** `share`: of the mass after failures, where the test keeps the rest itself. */
  constructor(planned: Planned, from?: MassesSnapshot, share = 1) {
    this.#planned = planned;
    [this.#start, this.#time, this.#next] = from?.left ?? [MASS.start, MASS.time, MASS.failures * share];
    [this.#pool, this.#failures] = from?.pool ?? [0, 0];
    this.#rest = this.#pool / (this.#failures + 1);
    this.#released = from?.released ?? 0;
  }

  /** A watch begins at `at`. */
  begin(at: number, parts: Parts | undefined): number {
    this.#released = at;
    if (!parts) return 0;
    const start = Math.min(this.#start, MASS.start * parts.start);
    const refill = Math.min(this.#next, MASS.failures * parts.failures);
    this.#start -= start;
    this.#next -= refill;
    this.#pool = this.#rest + refill;
    this.#failures = 0;
    this.#rest = this.#pool;
    return start;
  }

  /** Time has come to `clock`. */
  pass(clock: number): number {
    const due = (MASS.time * (clock - this.#released)) / Math.max(1, this.#planned.ms);
    if (!(due > 0)) return 0;
    const mass = Math.min(this.#time, due);
    this.#released = clock;
    this.#time -= mass;
    return mass;
  }

  /** The canary has failed so many times more: the n-th failure of a watch releases pool / (n (n + 1)). */
  after(failures: number): number {
    const before = this.#rest;
    this.#failures += failures;
    this.#rest = this.#pool / (this.#failures + 1);
    return before - this.#rest;
  }

  get left(): number {
    return this.#start + this.#time + this.#next + this.#rest;
  }

  /** What may depend on what was heard is thrown away. */
  forget(): void {
    this.#time = 0;
    this.#pool = this.#rest = 0;
  }

  snapshot(): MassesSnapshot {
    return {
      left: [this.#start, this.#time, this.#next],
      pool: [this.#pool, this.#failures],
      released: this.#released,
    };
  }
}
