/** Far inside the range of doubles. */
const LARGE = 1e200;

/**
 * P(C = c | n, m, K; odds r) / P(C = c | n, m, K; odds 1): Fisher's noncentral hypergeometric law (1935) over the central one, which is
 * 1 / mean of r^(C - c) under the central law. A power beyond the range of doubles makes the ratio 0, which only loses evidence.
 * Sums are scaled down together before they leave that range, as in a block of thousands.
 */
export function likelihoodRatio(events: number, canary: number, failures: number, canaryFailures: number, odds: number): number {
  const control = events - canary;
  const least = Math.max(0, failures - control);
  const most = Math.min(failures, canary);
  let ways = 1;
  let all = 0;
  let weighted = 0;
  // Ways that have underflowed are past the peak, of the weighted sum too, and would only meet an infinite power.
  for (let c = least; c <= most && ways > 0; c += 1) {
    all += ways;
    weighted += ways * odds ** (c - canaryFailures);
    if (ways > LARGE) {
      ways /= LARGE;
      all /= LARGE;
      weighted /= LARGE;
    }
    ways *= ((canary - c) * (failures - c)) / ((c + 1) * (control - failures + c + 1));
  }
  return Math.min(all / weighted, LARGE);
}
