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
  /** Factors of a success, and successes that are not multiplied in yet: one by one they are, but at once and only when somebody looks. */
  readonly #down: readonly number[];
  #pending = 0;

  constructor(down: readonly number[], from?: MarksSnapshot) {
    const size = down.length;
    this.#down = down;
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
    if (this.#pending > 0) this.#settle();
    for (let j = 0; j < this.#size; j += 1)
      this.#now[j] = (this.#now[j] as number) + (mass * (weights[j] as number)) / (this.#scale[j] as number);
  }

  /** All that has been released by `at` is marked. */
  set(at: number): void {
    if (this.#pending > 0) this.#settle();
    const from = this.#count * (this.#size + 1);
    this.#rows[from] = at;
    // Set one by one: to copy a plain array into a typed one at once is far slower.
    for (let j = 0; j < this.#size; j += 1) this.#rows[from + 1 + j] = this.#now[j] as number;
    this.#count += 1;
    if (this.#count > MOST) this.#thin();
  }

  succeed(): void {
    this.#pending += 1;
  }

  #settle(): void {
    const [scale, down, size] = [this.#scale, this.#down, this.#size];
    for (; this.#pending > 0; this.#pending -= 1) {
      let least = 1;
      for (let j = 0; j < size; j += 1) {
        const next = (scale[j] as number) * (down[j] as number);
        scale[j] = next;
        if (next < least) least = next;
      }
      if (least < SMALL) this.#rescale();
    }
  }

  /** A request that began at `start` has failed. */
  fail(start: number, factors: readonly number[]): void {
    if (this.#pending > 0) this.#settle();
    const [rows, now, size] = [this.#rows, this.#now, this.#size];
    const end = this.#count * (size + 1);
    let last = end - size - 1;
    while (last >= 0 && (rows[last] as number) > start) last -= size + 1;
    if (last < 0) return;
    for (let j = 0; j < size; j += 1) {
      const gain = (rows[last + 1 + j] as number) * ((factors[j] as number) - 1);
      // A later mark holds everything that an earlier one does.
      for (let place = last + size + 2 + j; place < end; place += size + 1) rows[place] = (rows[place] as number) + gain;
      now[j] = (now[j] as number) + gain;
    }
    for (let row = 0; row <= last; row += size + 1)
      for (let j = 0; j < size; j += 1) rows[row + 1 + j] = (rows[row + 1 + j] as number) * (factors[j] as number);
  }

  worth(j: number): number {
    if (this.#pending > 0) this.#settle();
    return (this.#now[j] as number) * (this.#scale[j] as number);
  }

  clear(): void {
    this.#settle();
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
    const rows = this.#rows;
    const end = this.#count * width;
    const newest = rows[end - width] as number;
    let thinned = width;
    let least = Number.POSITIVE_INFINITY;
    for (let row = width; row < end - NEWEST * width; row += width) {
      const gap = (rows[row + width] as number) - (rows[row - width] as number);
      const weighed = gap / (newest - (rows[row] as number) + STEP_MS);
      if (weighed < least) {
        thinned = row;
        least = weighed;
      }
    }
    rows.copyWithin(thinned, thinned + width, end);
    this.#count -= 1;
  }

  snapshot(): MarksSnapshot {
    this.#settle();
    const width = this.#size + 1;
    const marks = Array.from({ length: this.#count }, (_, row) => [...this.#rows.subarray(row * width, (row + 1) * width)]);
    return { now: [...this.#now], scale: [...this.#scale], marks };
  }
}

function small(value: number): number {
  return value < NOTHING ? 0 : value;
}
