/** So many of a kind must have ended before its silence says anything, and this share of them. */
const ENOUGH_ENDS = 10;
const NEARLY_ALL = 0.98;

/** Which kinds of connections come to their end, by those that were seen: one kind is all that the same server serves at one port. */
export class Kinds {
  readonly #known = new Map<string, { begun: number; ended: number }>();

  began(kind: string): void {
    this.#of(kind).begun += 1;
  }

  ended(kind: string): void {
    this.#of(kind).ended += 1;
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
