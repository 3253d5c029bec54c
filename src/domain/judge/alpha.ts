/**
 * Part of alpha for the n-th of tests that stand alone (from 1): alpha * 6 / (pi^2 n^2). The parts of all there could ever be sum to alpha (Basel
 * problem), so nobody need know how many there will be, and by the union bound together they keep it.
 */
export function alphaFor(alpha: number, number: number): number {
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`Tests are counted from 1, not ${number}.`);
  return (alpha * 6) / (Math.PI * number) ** 2;
}
