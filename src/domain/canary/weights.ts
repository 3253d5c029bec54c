/** One backend of a rule: may it receive the share that is moved? `weight` as Gateway API counts it (absent = 1). */
export interface Backend {
  readonly weight: number;
  readonly receives: boolean;
}

/** Gateway API's limit for one weight (HTTPBackendRef.weight, maximum 1000000). */
const HEAVIEST = 1_000_000;

/**
 * Integer weights that give the receivers exactly `percent` (steps of 0.1) and keep the proportions of the others.
 * Sums to 100 where that is exact, else to 1000; only where the others' proportions fit neither are they rounded by largest
 * remainder, and nobody who had traffic is rounded to none. `earlier`: weights to take the others' proportions from when all of
 * them are 0 today. Undefined when those proportions are needed and unknown. A rule already at `percent` stays as it is.
 */
export function shiftWeights(backends: readonly Backend[], percent: number, earlier?: readonly number[]): readonly number[] | undefined {
  const tenths = Math.round(percent * 10);
  const weights = backends.map(({ weight }) => weight);
  const received = sum(weights.filter((_, index) => backends[index]?.receives));
  const total = sum(weights);
  if (total > 0 && received * 1000 === total * tenths) return weights;
  const parts = [proportions(backends, true, earlier), proportions(backends, false, earlier)] as const;
  if ((tenths > 0 && !parts[0]) || (tenths < 1000 && !parts[1])) return undefined;
  const ideal = (whole: number): readonly Share[] =>
    backends.map(({ receives }, index) => {
      const part = receives ? parts[0] : parts[1];
      const tenth = receives ? tenths : 1000 - tenths;
      return { numerator: whole * tenth * (part?.[index] ?? 0), denominator: 1000 * Math.max(1, sum(part ?? [])) };
    });
  for (const whole of [100, 1000]) {
    const shares = ideal(whole);
    if (shares.every(({ numerator, denominator }) => numerator % denominator === 0)) return shares.map(floor);
  }
  // Nothing for the receivers: the others can stay exactly as they are.
  if (tenths === 0 && received < total) return weights.map((weight, index) => (backends[index]?.receives ? 0 : weight));
  return rounded(backends, ideal, tenths);
}

/** What share of the rule the receivers have today, in percent (0 where nobody has any). */
export function shareOf(backends: readonly Backend[]): number {
  const total = sum(backends.map(({ weight }) => weight));
  return total === 0 ? 0 : (sum(backends.map(({ weight, receives }) => (receives ? weight : 0))) * 100) / total;
}

interface Share {
  readonly numerator: number;
  readonly denominator: number;
}

/** Relative weights of one side: today's; where they are all 0, the only one, or the earlier ones. */
function proportions(backends: readonly Backend[], receives: boolean, earlier?: readonly number[]): readonly number[] | undefined {
  const pick = (weights: readonly number[]) =>
    backends.map((backend, index) => (backend.receives === receives ? (weights[index] ?? 0) : 0));
  const today = reduced(pick(backends.map(({ weight }) => weight)));
  if (sum(today) > 0) return today;
  const members = backends.filter((backend) => backend.receives === receives).length;
  if (members === 1 || receives) return pick(backends.map(() => 1));
  const before = reduced(pick(earlier ?? []));
  return sum(before) > 0 ? before : undefined;
}

/** Largest remainder (Hamilton), apart for receivers and others so that the receivers' share stays exact. */
function rounded(backends: readonly Backend[], ideal: (whole: number) => readonly Share[], tenths: number): readonly number[] {
  for (let whole = 1000; ; whole *= 10) {
    const shares = ideal(whole);
    const weights = shares.map(floor);
    for (const [receives, tenth] of [
      [true, tenths],
      [false, 1000 - tenths],
    ] as const) {
      const side = [...weights.keys()].filter((index) => backends[index]?.receives === receives && (shares[index]?.numerator ?? 0) > 0);
      let missing = (whole * tenth) / 1000 - sum(side.map((index) => weights[index] ?? 0));
      for (const index of side.toSorted((a, b) => remainder(shares[b]) - remainder(shares[a]) || a - b)) {
        if (missing > 0) weights[index] = (weights[index] ?? 0) + 1;
        missing -= 1;
      }
    }
    const vanished = weights.findIndex((weight, index) => weight === 0 && (shares[index]?.numerator ?? 0) > 0);
    if (vanished === -1) return weights;
    if (whole === HEAVIEST) return weights.map((weight, index) => ((shares[index]?.numerator ?? 0) > 0 ? Math.max(1, weight) : weight));
  }
}

function floor({ numerator, denominator }: Share): number {
  return Math.floor(numerator / denominator);
}

function remainder(share: Share | undefined): number {
  return share ? (share.numerator % share.denominator) / share.denominator : 0;
}

function reduced(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(gcd, 0);
  return divisor > 1 ? weights.map((weight) => weight / divisor) : weights;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
