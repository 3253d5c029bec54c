/** Far inside the range of doubles. */
const LARGE = 1e200;

/** Counts of a block: requests, those of the canary, failures, those of the canary. */
interface Margins {
  readonly events: number;
  readonly canary: number;
  readonly failures: number;
  readonly canaryFailures: number;
}

/** Exponents whose powers are kept, of either sign: those of nearly all blocks. */
const MOST = 1_024;

/** The odds that blocks are weighed by, all in one pass over the ways that failures may fall. */
export class Hypergeometric {
  readonly #odds: readonly number[];
  /** The odds to the power of -MOST to MOST, side by side. */
  readonly #powers: Float64Array;
  readonly #weighted: Float64Array;

  constructor(odds: readonly number[]) {
    this.#odds = odds;
    const each = Array.from({ length: 2 * MOST + 1 }, (_, index) => odds.map((one) => one ** (index - MOST)));
    this.#powers = Float64Array.from(each.flat());
    this.#weighted = new Float64Array(odds.length);
  }

  /**
   * P(C = c | n, m, K; odds r) / P(C = c | n, m, K; odds 1) for each of the odds, into `ratios`: Fisher's noncentral hypergeometric law (1935) over
   * the central one, which is 1 / mean of r^(C - c) under the central law. A power beyond the range of doubles makes the ratio 0, which only loses
   * evidence. Sums are scaled down together before they leave that range, as in a block of thousands.
   */
  ratios({ events, canary, failures, canaryFailures }: Margins, ratios: number[]): void {
    const [odds, powers, weighted] = [this.#odds, this.#powers, this.#weighted];
    const size = odds.length;
    const control = events - canary;
    const least = Math.max(0, failures - control);
    const most = Math.min(failures, canary);
    const isKept = canaryFailures - least <= MOST && most - canaryFailures <= MOST;
    let ways = 1;
    let all = 0;
    for (let j = 0; j < size; j += 1) weighted[j] = 0;
    // Ways that have underflowed are past the peak, of the weighted sum too, and would only meet an infinite power.
    for (let c = least; c <= most && ways > 0; c += 1) {
      all += ways;
      const from = (c - canaryFailures + MOST) * size;
      for (let j = 0; j < size; j += 1) {
        const power = isKept ? (powers[from + j] as number) : (odds[j] as number) ** (c - canaryFailures);
        weighted[j] = (weighted[j] as number) + ways * power;
      }
      if (ways > LARGE) {
        ways /= LARGE;
        all /= LARGE;
        for (let j = 0; j < size; j += 1) weighted[j] = (weighted[j] as number) / LARGE;
      }
      ways *= ((canary - c) * (failures - c)) / ((c + 1) * (control - failures + c + 1));
    }
    for (let j = 0; j < size; j += 1) ratios[j] = Math.min(all / (weighted[j] as number), LARGE);
  }
}
