/**
 * Share of the operation's alpha for its n-th watch (from 1; the afterwatch counts as one): alpha * 6 / (pi^2 n^2). The shares of
 * all watches there could ever be sum to alpha (Basel problem), so nobody needs to know beforehand how many there will be, and by
 * the union bound the operation as a whole keeps alpha.
 */
export function alphaFor(alpha: number, watch: number): number {
  if (!Number.isInteger(watch) || watch < 1) throw new RangeError(`Watches are counted from 1, not ${watch}.`);
  return (alpha * 6) / (Math.PI * watch) ** 2;
}
