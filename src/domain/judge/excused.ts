import type { Block } from './blocks.ts';
import { Comparison } from './comparison.ts';
import { factorsFor, GRID_WEIGHTS } from './objective.ts';
import { Masses, type MassesSnapshot, type Parts, type Planned } from './prior.ts';

/**
 * `slo: excused`: evidence against "at each time the canary fails no more than the objective, or no more than its control". A block multiplies
 * by the smaller of the objective's factor and of the mean ratio of the comparison: whichever half holds in it, the mean is at most 1. What
 * both sides suffer costs nothing, and harm needs more requests to be found: about 9 instead of 4 where all fail.
 */
interface ExcusedSnapshot extends MassesSnapshot {
  readonly sums: readonly number[];
}

export class Excused {
  readonly #up: readonly number[];
  readonly #down: readonly number[];
  readonly #masses: Masses;
  readonly #sums: number[];

  constructor(p0: number, planned: Planned, from?: ExcusedSnapshot) {
    ({ up: this.#up, down: this.#down } = factorsFor(p0));
    this.#masses = new Masses(planned, from);
    this.#sums = [...(from?.sums ?? GRID_WEIGHTS.map(() => 0))];
  }

  /** As in `Objective.begin`. */
  begin(at: number, parts: Parts | undefined): void {
    this.#add(this.#masses.begin(at, parts));
  }

  take(block: Block): void {
    const { from, events, canary, canaryFailures } = block;
    this.#add(this.#masses.pass(from));
    if (canary === 0 || canary === events) return;
    const ratio = Comparison.meanRatio(block);
    for (let j = 0; j < this.#sums.length; j += 1) {
      const factor = (this.#up[j] as number) ** canaryFailures * (this.#down[j] as number) ** (canary - canaryFailures);
      this.#sums[j] = (this.#sums[j] as number) * Math.min(factor, ratio);
    }
    this.#add(this.#masses.after(canaryFailures));
  }

  #add(mass: number): void {
    for (let j = 0; j < this.#sums.length; j += 1) this.#sums[j] = (this.#sums[j] as number) + mass * (GRID_WEIGHTS[j] as number);
  }

  value(): number {
    return this.#sums.reduce((sum, each) => sum + each, this.#masses.left);
  }

  /** As in `Objective.forget`. */
  forget(): void {
    this.#sums.fill(0);
    this.#masses.forget();
  }

  snapshot(): ExcusedSnapshot {
    return { sums: [...this.#sums], ...this.#masses.snapshot() };
  }
}
