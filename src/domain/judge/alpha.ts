/**
 * The share of an operation's alpha that its k-th watch may spend: alpha · 6 / (π² k²). The shares of any number of watches sum to at
 * most alpha (Basel series), so the bound holds for the operation however many stages and afterwatches it has.
 */
export function alphaFor(alpha: number, watch: number): number {
  return (alpha * 6) / (Math.PI * watch) ** 2;
}
