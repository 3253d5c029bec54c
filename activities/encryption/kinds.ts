/** So many of a kind must have ended before its silence says anything, and this share of them. */
const ENOUGH_ENDS = 10;
const NEARLY_ALL = 0.98;
/** Nobody gives a connection up sooner (ms). */
const QUICK_MS = 500;
/** One that takes so many times as long as its kind did before may have been given up by its client. */
const MUCH_LONGER = 4;
/** More milliseconds than the rings hold. */
const POWERS = 32;

/** A connection of before the watch, whose end is still to be seen. */
interface Earlier {
  readonly kind: string;
  readonly node: string;
  readonly at: number;
}

/** Which kinds of connections come to their end, by those that were seen: one kind is all that the same server serves at one port. */
export class Kinds {
  readonly #known = new Map<string, { begun: number; ended: number }>();
  /** By whether they have been answered: what is lost as an agent restarts says nothing of its kind. */
  readonly #earlier = new Map<string, Earlier & { answered: boolean }>();
  /** How long those of before the watch took, by kind: counts by powers of two of a millisecond. */
  readonly #took = new Map<string, number[]>();

  /** One whose end has been seen. */
  ended(kind: string): void {
    const known = this.#of(kind);
    known.begun += 1;
    known.ended += 1;
  }

  /** One that goes on longer than its kind may. */
  stays(kind: string): void {
    this.#of(kind).begun += 1;
  }

  /** One of before the watch has begun; what becomes of it may be seen during the watch. */
  follow(key: string, earlier: Earlier): void {
    this.#earlier.set(key, { ...earlier, answered: false });
  }

  answered(key: string): void {
    const earlier = this.#earlier.get(key);
    if (earlier) earlier.answered = true;
  }

  /** Its end, if it is one of those. */
  end(key: string, at: number): void {
    const earlier = this.#earlier.get(key);
    if (!earlier) return;
    this.#earlier.delete(key);
    this.ended(earlier.kind);
    const took = this.#took.get(earlier.kind) ?? Array.from({ length: POWERS }, () => 0);
    const power = Math.ceil(Math.log2(Math.max(1, at - earlier.at)));
    took[power] = (took[power] ?? 0) + 1;
    this.#took.set(earlier.kind, took);
  }

  /**
   * Does an end after `tookMs` say that all came through that was sent? A client that waits in vain closes its connection too, only later than
   * is usual.
   */
  isWhole(kind: string, tookMs: number): boolean {
    return this.ends(kind) && tookMs <= Math.max(QUICK_MS, MUCH_LONGER * this.#usual(kind));
  }

  /** Nearly all of before took no longer (ms); 0: too few are known. */
  #usual(kind: string): number {
    const took = this.#took.get(kind) ?? [];
    const all = took.reduce((sum, count) => sum + count, 0);
    if (all < ENOUGH_ENDS) return 0;
    let within = 0;
    return 2 ** took.findIndex((count) => (within += count) >= NEARLY_ALL * all);
  }

  /** Those stay of which the records of their node (up to `newest`) show no end within `endMs`. */
  settle(newest: ReadonlyMap<string, number>, endMs: number): void {
    for (const [key, { kind, node, at, answered }] of this.#earlier) {
      if ((newest.get(node) ?? 0) - at <= endMs) continue;
      this.#earlier.delete(key);
      if (answered) this.stays(kind);
    }
  }

  /** Nearly all of it do, so one that does not hangs. */
  ends(kind: string): boolean {
    const { begun, ended } = this.#of(kind);
    return ended >= ENOUGH_ENDS && ended >= NEARLY_ALL * begun;
  }

  #of(kind: string): { begun: number; ended: number } {
    const known = this.#known.get(kind) ?? { begun: 0, ended: 0 };
    this.#known.set(kind, known);
    return known;
  }
}
