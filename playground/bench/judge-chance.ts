/** A stream of chance that a seed repeats exactly: sfc32 (Doty-Humphrey, PractRand), whose period no simulation here comes near. */
export interface Chance {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Poisson with this mean. */
  poisson(mean: number): number;
  /** Standard normal. */
  normal(): number;
}

export function chanceFrom(seed: number): Chance {
  let [a, b, c, counter] = [seed | 0, (seed * 0x9e3779b1) | 0, 0x243f6a88, 1];
  const uniform = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 15; i += 1) uniform();
  const exponential = (): number => -Math.log(1 - uniform());
  const normal = (): number => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * uniform());
  return { uniform, exponential, normal, poisson: (mean) => poisson(mean, uniform, normal) };
}

function poisson(mean: number, uniform: () => number, normal: () => number): number {
  // Far from zero the rounded normal is as good for counts of traffic; near it, by inversion.
  if (mean > 500) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  let count = 0;
  let term = Math.exp(-mean);
  let left = uniform() - term;
  while (left >= 0 && count < 10_000) {
    count += 1;
    term *= mean / count;
    left -= term;
  }
  return count;
}

/** Clopper-Pearson interval (1934) of a share, by bisection on the binomial tail; 95% unless told. */
export function interval(hits: number, runs: number, level = 0.05): readonly [number, number] {
  const solve = (tail: (p: number) => number): number => {
    let [low, high] = [0, 1];
    for (let step = 0; step < 60; step += 1) {
      const middle = (low + high) / 2;
      if (tail(middle) < level / 2) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  const lower = hits === 0 ? 0 : solve((p) => 1 - atMost(hits - 1, runs, p));
  const upper = hits === runs ? 1 : 1 - solve((q) => atMost(hits, runs, 1 - q));
  return [lower, upper];
}

/** P(X <= hits) of a binomial. */
function atMost(hits: number, runs: number, p: number): number {
  if (p <= 0) return 1;
  if (p >= 1) return hits >= runs ? 1 : 0;
  let log = runs * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let k = 1; k <= hits; k += 1) {
    log += Math.log((runs - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
}
