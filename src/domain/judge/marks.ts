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
/** One more for a moment, until one goes. */
const ROOM = MOST + 1;
/** Long before numbers leave the normal range of doubles, which would slow down every later request. */
const SMALL = 1e-100;
/** Below this a sum is 0: it has lost. */
const NOTHING = 1e-290;

export class Marks {
  /** Factors of a success. */
  readonly #down: readonly number[];
  readonly #size: number;
  /** The scale of each alternative, what it holds now, the times of the marks, and for each alternative what it held at them: all in one, since there
   * are thousands of watches, and in the order in which failures go through it. */
  readonly #state: Float64Array;
  /** Where the times begin. */
  readonly #times: number;
  #count: number;
  /** Successes that are not multiplied in yet: one by one they will be, as doubles ask for, but not before somebody looks. */
  #pending = 0;

  constructor(down: readonly number[], from?: MarksSnapshot) {
    const size = down.length;
    this.#down = down;
    this.#size = size;
    this.#times = 2 * size;
    this.#state = new Float64Array(2 * size + ROOM * (size + 1));
    this.#state.set(from?.scale ?? down.map(() => 1));
    this.#state.set(from?.now ?? [], size);
    this.#count = from?.marks.length ?? 0;
    from?.marks.forEach((mark, row) => mark.forEach((value, column) => (this.#state[this.#times + column * ROOM + row] = value)));
  }

  /** A watch begins: what came before it is one mark. */
  begin(at: number): void {
    this.#count = 0;
    this.set(at);
  }

  isDue(clock: number): boolean {
    return this.#count === 0 || clock - (this.#state[this.#times + this.#count - 1] as number) >= STEP_MS;
  }

  add(mass: number, weights: readonly number[]): void {
    if (this.#pending > 0) this.#settle();
    const [state, size] = [this.#state, this.#size];
    for (let j = 0; j < size; j += 1)
      state[size + j] = (state[size + j] as number) + (mass * (weights[j] as number)) / (state[j] as number);
  }

  /** All that has been released by `at` is marked. */
  set(at: number): void {
    if (this.#pending > 0) this.#settle();
    const [state, size] = [this.#state, this.#size];
    let place = this.#times + this.#count;
    state[place] = at;
    for (let j = 0; j < size; j += 1) {
      place += ROOM;
      state[place] = state[size + j] as number;
    }
    this.#count += 1;
    if (this.#count > MOST) this.#thin();
  }

  succeed(): void {
    this.#pending += 1;
  }

  #settle(): void {
    const [state, down, size] = [this.#state, this.#down, this.#size];
    for (; this.#pending > 0; this.#pending -= 1) {
      let least = 1;
      for (let j = 0; j < size; j += 1) {
        const scale = (state[j] as number) * (down[j] as number);
        state[j] = scale;
        if (scale < least) least = scale;
      }
      if (least < SMALL) this.#rescale();
    }
  }

  /** A request that began at `start` has failed. */
  fail(start: number, factors: readonly number[]): void {
    if (this.#pending > 0) this.#settle();
    const [state, size, times, count] = [this.#state, this.#size, this.#times, this.#count];
    let last = count - 1;
    while (last >= 0 && (state[times + last] as number) > start) last -= 1;
    if (last < 0) return;
    let column = times;
    for (let j = 0; j < size; j += 1) {
      column += ROOM;
      const factor = factors[j] as number;
      const gain = (state[column + last] as number) * (factor - 1);
      for (let place = column; place <= column + last; place += 1) state[place] = (state[place] as number) * factor;
      // A later mark holds everything that an earlier one does.
      for (let place = column + last + 1; place < column + count; place += 1) state[place] = (state[place] as number) + gain;
      state[size + j] = (state[size + j] as number) + gain;
    }
  }

  worth(j: number): number {
    if (this.#pending > 0) this.#settle();
    return (this.#state[this.#size + j] as number) * (this.#state[j] as number);
  }

  /** `base` and the worth of all, one after the other. */
  sum(base: number): number {
    if (this.#pending > 0) this.#settle();
    const [state, size] = [this.#state, this.#size];
    let total = base;
    for (let j = 0; j < size; j += 1) total += (state[size + j] as number) * (state[j] as number);
    return total;
  }

  clear(): void {
    this.#settle();
    this.#state.fill(0, this.#size);
    this.#count = 0;
  }

  #rescale(): void {
    const [state, size] = [this.#state, this.#size];
    for (let j = 0; j < size; j += 1) {
      const scale = state[j] as number;
      state[j] = 1;
      state[size + j] = small((state[size + j] as number) * scale);
      const column = this.#times + (j + 1) * ROOM;
      for (let place = column; place < column + this.#count; place += 1) state[place] = small((state[place] as number) * scale);
    }
  }

  /** The first mark stays: what is older than it knows no other place. Of the rest the one goes that is missed least: older ones may lie further apart. */
  #thin(): void {
    const [state, times, count] = [this.#state, this.#times, this.#count];
    const newest = state[times + count - 1] as number;
    let thinned = 1;
    let least = Number.POSITIVE_INFINITY;
    for (let index = 1; index < count - NEWEST; index += 1) {
      const gap = (state[times + index + 1] as number) - (state[times + index - 1] as number);
      const weighed = gap / (newest - (state[times + index] as number) + STEP_MS);
      if (weighed < least) {
        thinned = index;
        least = weighed;
      }
    }
    // So few that to have them copied would cost more.
    for (let column = times; column < state.length; column += ROOM)
      for (let place = column + thinned; place < column + count - 1; place += 1) state[place] = state[place + 1] as number;
    this.#count = count - 1;
  }

  snapshot(): MarksSnapshot {
    this.#settle();
    const [state, size, times] = [this.#state, this.#size, this.#times];
    const numbers = Array.from({ length: size + 1 }, (_, column) => times + column * ROOM);
    const marks = Array.from({ length: this.#count }, (_, row) => numbers.map((column) => state[column + row] as number));
    return { now: [...state.subarray(size, 2 * size)], scale: [...state.subarray(0, size)], marks };
  }
}

function small(value: number): number {
  return value < NOTHING ? 0 : value;
}
