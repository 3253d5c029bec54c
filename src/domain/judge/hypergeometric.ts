import { Powers } from './powers.ts';

/** Far inside the range of doubles. */
const LARGE = 1e200;

/** Counts of a block: requests, those of the canary, failures, those of the canary. */
export interface Margins {
  readonly events: number;
  readonly canary: number;
  readonly failures: number;
  readonly canaryFailures: number;
}

/** The odds that blocks are weighed by, all in one pass over the ways that failures may fall. */
export class Hypergeometric {
  readonly #powers: readonly Powers[];
  readonly #weighted: number[];

  constructor(odds: readonly number[]) {
    this.#powers = odds.map((each) => new Powers(each));
    this.#weighted = odds.map(() => 0.5);
  }

  /**
   * P(C = c | n, m, K; odds r) / P(C = c | n, m, K; odds 1) for each of the odds, into `ratios`: Fisher's noncentral hypergeometric law (1935) over
   * the central one, which is 1 / mean of r^(C - c) under the central law. A power beyond the range of doubles makes the ratio 0, which only loses
   * evidence. Sums are scaled down together before they leave that range, as in a block of thousands.
   */
  ratios({ events, canary, failures, canaryFailures }: Margins, ratios: number[]): void {
    const [powers, weighted] = [this.#powers, this.#weighted];
    const control = events - canary;
    const least = Math.max(0, failures - control);
    const most = Math.min(failures, canary);
    let ways = 1;
    let all = 0;
    for (let j = 0; j < powers.length; j += 1) weighted[j] = 0;
    // Ways that have underflowed are past the peak, of the weighted sum too, and would only meet an infinite power.
    for (let c = least; c <= most && ways > 0; c += 1) {
      all += ways;
      for (let j = 0; j < powers.length; j += 1)
        weighted[j] = (weighted[j] as number) + ways * (powers[j] as Powers).of(c - canaryFailures);
      if (ways > LARGE) {
        ways /= LARGE;
        all /= LARGE;
        for (let j = 0; j < powers.length; j += 1) weighted[j] = (weighted[j] as number) / LARGE;
      }
      ways *= ((canary - c) * (failures - c)) / ((c + 1) * (control - failures + c + 1));
    }
    for (let j = 0; j < powers.length; j += 1) ratios[j] = Math.min(all / (weighted[j] as number), LARGE);
  }
}
