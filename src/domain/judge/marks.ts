/**
 * Sums of released mass, one for each alternative, and what those parts of them are worth that were released before some moments: the marks. A
 * failure of a request that began at t raises what had been released by the last mark that is not after t, and nothing that came later.
 *
 * Successes multiply everything alike, so they are kept in a scale: worth = kept x scale.
 */
export interface MarksSnapshot {
  readonly now: readonly number[];
  readonly scale: readonly number[];
  /** Time of each mark, then its sums. */
  readonly marks: readonly (readonly number[])[];
}

/** Between two marks, where nothing fails (ms). */
const STEP_MS = 100;
const MOST = 12;
/** The newest marks, set by failures in quick succession, are kept apart. */
const NEWEST = 5;
/** Long before numbers leave the normal range of doubles, which would slow down every later request. */
const SMALL = 1e-100;
/** Below this a sum is 0: it has lost. */
const NOTHING = 1e-290;

export class Marks {
  readonly #size: number;
  readonly #now: number[];
  readonly #scale: number[];
  /** Rows of one mark each: its time, then its sums. */
  readonly #rows: Float64Array;
  #count: number;

  constructor(size: number, from?: MarksSnapshot) {
    this.#size = size;
    this.#now = from ? [...from.now] : Array.from({ length: size }, () => 0);
    this.#scale = from ? [...from.scale] : Array.from({ length: size }, () => 1);
    this.#rows = new Float64Array((MOST + 1) * (size + 1));
    this.#count = from?.marks.length ?? 0;
    from?.marks.forEach((row, index) => this.#rows.set(row, index * (size + 1)));
  }

  /** A watch begins: what came before it is one mark. */
  begin(at: number): void {
    this.#count = 0;
    this.set(at);
  }

  isDue(clock: number): boolean {
    return this.#count === 0 || clock - this.#at(this.#count - 1) >= STEP_MS;
  }

  add(mass: number, weights: readonly number[]): void {
    for (let j = 0; j < this.#size; j += 1)
      this.#now[j] = (this.#now[j] as number) + (mass * (weights[j] as number)) / (this.#scale[j] as number);
  }

  /** All that has been released by `at` is marked. */
  set(at: number): void {
    const from = this.#count * (this.#size + 1);
    this.#rows[from] = at;
    // Set one by one: to copy a plain array into a typed one at once is far slower.
    for (let j = 0; j < this.#size; j += 1) this.#rows[from + 1 + j] = this.#now[j] as number;
    this.#count += 1;
    if (this.#count > MOST) this.#thin();
  }

  succeed(factors: readonly number[]): void {
    let least = 1;
    for (let j = 0; j < this.#size; j += 1) {
      const scale = (this.#scale[j] as number) * (factors[j] as number);
      this.#scale[j] = scale;
      if (scale < least) least = scale;
    }
    if (least < SMALL) this.#rescale();
  }

  /** A request that began at `start` has failed. */
  fail(start: number, factors: readonly number[]): void {
    const width = this.#size + 1;
    let last = this.#count - 1;
    while (last >= 0 && this.#at(last) > start) last -= 1;
    if (last < 0) return;
    for (let j = 0; j < this.#size; j += 1) {
      const factor = factors[j] as number;
      const gain = (this.#rows[last * width + 1 + j] as number) * (factor - 1);
      for (let row = 0; row < this.#count; row += 1) {
        const place = row * width + 1 + j;
        // A later mark holds everything that an earlier one does.
        this.#rows[place] = row <= last ? (this.#rows[place] as number) * factor : (this.#rows[place] as number) + gain;
      }
      this.#now[j] = (this.#now[j] as number) + gain;
    }
  }

  worth(j: number): number {
    return (this.#now[j] as number) * (this.#scale[j] as number);
  }

  clear(): void {
    this.#now.fill(0);
    this.#rows.fill(0);
    this.#count = 0;
  }

  #at(index: number): number {
    return this.#rows[index * (this.#size + 1)] as number;
  }

  #rescale(): void {
    const width = this.#size + 1;
    for (let j = 0; j < this.#size; j += 1) {
      const scale = this.#scale[j] as number;
      this.#scale[j] = 1;
      this.#now[j] = small((this.#now[j] as number) * scale);
      for (let row = 0; row < this.#count; row += 1)
        this.#rows[row * width + 1 + j] = small((this.#rows[row * width + 1 + j] as number) * scale);
    }
  }

  /** The first mark stays: what is older than it knows no other place. Of the rest the one goes that is missed least: older ones may lie further apart. */
  #thin(): void {
    const width = this.#size + 1;
    let [thinned, least] = [1, Number.POSITIVE_INFINITY];
    for (let index = 1; index < this.#count - NEWEST; index += 1) {
      const gap = this.#at(index + 1) - this.#at(index - 1);
      const weighed = gap / (this.#at(this.#count - 1) - this.#at(index) + STEP_MS);
      if (weighed < least) [thinned, least] = [index, weighed];
    }
    this.#rows.copyWithin(thinned * width, (thinned + 1) * width, this.#count * width);
    this.#count -= 1;
  }

  snapshot(): MarksSnapshot {
    const width = this.#size + 1;
    const marks = Array.from({ length: this.#count }, (_, row) => [...this.#rows.subarray(row * width, (row + 1) * width)]);
    return { now: [...this.#now], scale: [...this.#scale], marks };
  }
}

function small(value: number): number {
  return value < NOTHING ? 0 : value;
}
