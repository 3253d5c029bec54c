import type { Block } from './blocks.ts';
import { Comparison } from './comparison.ts';
import { factorsFor, GRID_WEIGHTS } from './objective.ts';
import { MASS, type Planned } from './prior.ts';

/**
 * `slo: excused`: evidence against "at each time the canary fails no more than the objective, or no more than its control". A block multiplies
 * by the smaller of the objective's factor and of the mean ratio of the comparison: whichever half holds in it, the mean is at most 1. What
 * both sides suffer costs nothing, and harm needs more requests to be found: about 9 instead of 4 where all fail.
 */
export interface ExcusedSnapshot {
  readonly sums: readonly number[];
  readonly left: readonly [number, number, number];
  readonly pool: readonly [number, number];
  readonly released: number;
}

export class Excused {
  readonly #planned: Planned;
  readonly #up: readonly number[];
  readonly #down: readonly number[];
  readonly #sums: number[];
  #start: number;
  #time: number;
  #next: number;
  #pool: number;
  #failures: number;
  #released: number;

  constructor(p0: number, planned: Planned, from?: ExcusedSnapshot) {
    this.#planned = planned;
    ({ up: this.#up, down: this.#down } = factorsFor(p0));
    this.#sums = [...(from?.sums ?? GRID_WEIGHTS.map(() => 0))];
    [this.#start, this.#time, this.#next] = from?.left ?? [MASS.start, MASS.time, MASS.failures];
    [this.#pool, this.#failures] = from?.pool ?? [0, 0];
    this.#released = from?.released ?? 0;
  }

  /** As in `Objective.begin`. */
  begin(at: number, parts: { readonly start: number; readonly failures: number } | undefined): void {
    this.#released = at;
    if (!parts) return;
    const start = Math.min(this.#start, MASS.start * parts.start);
    const refill = Math.min(this.#next, MASS.failures * parts.failures);
    this.#start -= start;
    this.#next -= refill;
    this.#pool = this.#pool / (this.#failures + 1) + refill;
    this.#failures = 0;
    this.#add(start);
  }

  take(block: Block): void {
    const { from, events, canary, canaryFailures } = block;
    const released = Math.max(0, Math.min(this.#time, (MASS.time * (from - this.#released)) / Math.max(1, this.#planned.ms)));
    this.#released = Math.max(this.#released, from);
    this.#time -= released;
    this.#add(released);
    if (canary === 0 || canary === events) return;
    const ratio = Comparison.meanRatio(block);
    for (let j = 0; j < this.#sums.length; j += 1) {
      const factor = (this.#up[j] as number) ** canaryFailures * (this.#down[j] as number) ** (canary - canaryFailures);
      this.#sums[j] = (this.#sums[j] as number) * Math.min(factor, ratio);
    }
    const before = this.#pool / (this.#failures + 1);
    this.#failures += canaryFailures;
    this.#add(before - this.#pool / (this.#failures + 1));
  }

  #add(mass: number): void {
    for (let j = 0; j < this.#sums.length; j += 1) this.#sums[j] = (this.#sums[j] as number) + mass * (GRID_WEIGHTS[j] as number);
  }

  value(): number {
    return this.#sums.reduce((sum, each) => sum + each, this.#start + this.#time + this.#next + this.#pool / (this.#failures + 1));
  }

  /** As in `Objective.forget`. */
  forget(): void {
    this.#sums.fill(0);
    this.#time = 0;
    this.#pool = 0;
  }

  snapshot(): ExcusedSnapshot {
    return {
      sums: [...this.#sums],
      left: [this.#start, this.#time, this.#next],
      pool: [this.#pool, this.#failures],
      released: this.#released,
    };
  }
}
