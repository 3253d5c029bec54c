/** Which failures carry the evidence: the run since its likelihood was last at its lowest (Page 1954). For the report only. */
export interface RunsSnapshot {
  readonly runs: readonly number[];
  /** Event time of the first failure of each run; -1 = none. */
  readonly since: readonly number[];
}

const LARGE = 1e200;

export class Runs {
  readonly #size: number;
  /** The runs, then since when. */
  readonly #state: number[];
  /** No run is under way: what lowers them all changes nothing. */
  #isFlat: boolean;

  constructor(size: number, from?: RunsSnapshot) {
    this.#size = size;
    this.#state = from ? [...from.runs, ...from.since] : Array.from({ length: 2 * size }, (_, index) => (index < size ? 1 : -1));
    this.#isFlat = this.#state.every((run, index) => index >= size || run === 1);
  }

  /** Likelihood ratios of what was heard; `harmAt`: event time of a failure of the canary in it, or -1: then none of them is above 1. */
  add(ratios: ArrayLike<number>, harmAt: number): void {
    if (this.#isFlat && harmAt === -1) return;
    this.#isFlat = true;
    for (let j = 0; j < this.#size; j += 1) {
      const run = (this.#state[j] as number) * (ratios[j] as number);
      if (run > 1) {
        this.#isFlat = false;
        this.#state[j] = Math.min(run, LARGE);
        if (this.#state[this.#size + j] === -1) this.#state[this.#size + j] = harmAt;
      } else {
        this.#state[j] = 1;
        this.#state[this.#size + j] = -1;
      }
    }
  }

  /** The same so many times in a row, of ratios that are all at most 1: a run that is over stays so. */
  lower(ratios: readonly number[], times: number): void {
    if (this.#isFlat || times === 0) return;
    const [state, size] = [this.#state, this.#size];
    this.#isFlat = true;
    for (let j = 0; j < size; j += 1) {
      const ratio = ratios[j] as number;
      let run = state[j] as number;
      for (let left = times; left > 0 && run > 1; left -= 1) run *= ratio;
      if (run > 1) {
        this.#isFlat = false;
        state[j] = run;
      } else {
        state[j] = 1;
        state[size + j] = -1;
      }
    }
  }

  /** Of the largest of the sums: when its run began; undefined where it has none. */
  since(sum: (j: number) => number): number | undefined {
    let most = 0;
    for (let j = 1; j < this.#size; j += 1) if (sum(j) > sum(most)) most = j;
    const at = this.#state[this.#size + most] ?? -1;
    return at === -1 ? undefined : at;
  }

  clear(): void {
    this.#state.fill(1, 0, this.#size).fill(-1, this.#size);
    this.#isFlat = true;
  }

  snapshot(): RunsSnapshot {
    return { runs: this.#state.slice(0, this.#size), since: this.#state.slice(this.#size) };
  }
}
