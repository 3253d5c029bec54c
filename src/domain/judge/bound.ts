/**
 * How small a failure share is proved to be: an anytime-valid upper bound, so it may be looked at after every request.
 *
 * Evidence against "the share is p or more" after k failures in n requests, whatever the share did meanwhile as long as it never was
 * below p: the mean over p1 in {0, p/4, p/2} of (p1/p)^k ((1-p1)/(1-p))^(n-k), each a test martingale for every share >= p
 * (Wald 1945; mixture: Robbins 1970). The bound is the smallest p with evidence of at least 1/level against it. As one-sided bets below
 * p it is tighter than the uniform mixture: no failure in 363 requests proves 1% at level 5%, where that needs about 990.
 */
const FRACTIONS: readonly number[] = [0, 0.25, 0.5];

/** Natural logarithm of the evidence against a failure share of `share` or more. Counts need not be whole (for forecasts). */
export function logProof(failures: number, requests: number, share: number): number {
  const logs = FRACTIONS.map((fraction) => {
    const failed = failures === 0 ? 0 : failures * Math.log(fraction);
    return failed + (requests - failures) * (Math.log1p(-fraction * share) - Math.log1p(-share));
  });
  const top = Math.max(...logs);
  if (top === Number.NEGATIVE_INFINITY) return top;
  return top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0) / FRACTIONS.length);
}

/** Upper end of a confidence sequence for a failure share: at any time above the true share with probability at least 1 - `level`. */
export function upperBound(failures: number, requests: number, level: number): number {
  const needed = -Math.log(level);
  let low = requests === 0 ? 1 : failures / requests;
  let high = 1;
  for (let step = 0; step < 50 && high - low > 1e-9; step += 1) {
    const middle = (low + high) / 2;
    if (logProof(failures, requests, middle) < needed) low = middle;
    else high = middle;
  }
  return high;
}

/** Multiples of a share that are tried against "at most this share". */
const MULTIPLES: readonly number[] = [1.2, 1.5, 3];

/** Lower end of the same for the share of a control: at any time below the true share with probability at least 1 - `level`. */
export function lowerBound(failures: number, requests: number, level: number): number {
  let low = 0;
  let high = requests === 0 ? 0 : failures / requests;
  const odds = (share: number) =>
    MULTIPLES.reduce((sum, multiple) => {
      const other = Math.min(multiple * share, (1 + share) / 2);
      return sum + Math.exp(failures * Math.log(other / share) + (requests - failures) * (Math.log1p(-other) - Math.log1p(-share)));
    }, 0) / MULTIPLES.length;
  for (let step = 0; step < 50 && high - low > 1e-9; step += 1) {
    const middle = (low + high) / 2;
    if (odds(middle) < 1 / level) high = middle;
    else low = middle;
  }
  return low;
}

/** Requests from which on a forecast says nothing. */
const FAR = 10_000_000;

/** Requests in all that would prove less than `share` if they went on failing at the same rate; undefined when they never would. */
export function requestsNeeded(failures: number, requests: number, share: number, level: number): number | undefined {
  const proves = (count: number) => logProof(requests === 0 ? 0 : (failures * count) / requests, count, share) >= -Math.log(level);
  let high = Math.max(1, requests);
  while (!proves(high)) {
    high *= 2;
    if (high > FAR) return undefined;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (proves(middle)) high = middle;
    else low = middle;
  }
  return Math.ceil(high);
}
