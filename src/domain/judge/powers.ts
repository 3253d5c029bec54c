/** Exponents that are kept, of either sign: those of nearly all blocks. */
const MOST = 1_024;

/** Powers of a number above 0 by whole exponents, each asked of `**` once: the same doubles, in a small part of its time. */
export class Powers {
  readonly #base: number;
  /** NaN: not asked yet. */
  readonly #known = new Float64Array(2 * MOST + 1).fill(Number.NaN);

  constructor(base: number) {
    this.#base = base;
  }

  of(exponent: number): number {
    const known = this.#known[exponent + MOST];
    if (known !== undefined && !Number.isNaN(known)) return known;
    const power = this.#base ** exponent;
    this.#known[exponent + MOST] = power;
    return power;
  }
}
