/**
 * Upper end of an anytime-valid confidence sequence for a failure share, `failures` of `requests` seen: the largest p with
 * B(k+1, n-k+1) / (p^k (1-p)^(n-k)) < 1/alpha, the uniform mixture of Robbins (1970). For people to read, not for deciding:
 * it assumes that the share does not move while it is counted.
 */
export function upperBound(failures: number, requests: number, alpha: number): number {
  const successes = requests - failures;
  const mixture = logFactorial(failures) + logFactorial(successes) - logFactorial(requests + 1);
  const evidence = (p: number) =>
    mixture - (failures === 0 ? 0 : failures * Math.log(p)) - (successes === 0 ? 0 : successes * Math.log1p(-p));
  const limit = -Math.log(alpha);
  let low = requests === 0 ? 1 : failures / requests;
  let high = 1;
  for (let step = 0; step < 50 && high - low > 1e-9; step += 1) {
    const middle = (low + high) / 2;
    if (evidence(middle) < limit) low = middle;
    else high = middle;
  }
  return high;
}

/** ln(n!) by Stirling's series; below 20 by counting, where the series is not yet exact. */
function logFactorial(n: number): number {
  if (n < 20) {
    let product = 1;
    for (let factor = 2; factor <= n; factor += 1) product *= factor;
    return Math.log(product);
  }
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3);
}
