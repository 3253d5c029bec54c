/**
 * Share of the operation's alpha for its n-th watch (from 1; the afterwatch counts as one): alpha * 6 / (pi^2 n^2). The shares of
 * all watches there could ever be sum to alpha (Basel problem), so nobody needs to know beforehand how many there will be, and by
 * the union bound the operation as a whole keeps alpha.
 */
export function alphaFor(alpha: number, watch: number): number {
  if (!Number.isInteger(watch) || watch < 1) throw new RangeError(`Watches are counted from 1, not ${watch}.`);
  return (alpha * 6) / (Math.PI * watch) ** 2;
}

/** The judges that draw conclusions from chance, and so need a share of alpha. Readiness and budget count and need none. */
export type Statistical = 'objective' | 'relative' | 'drops';

/** Weight of each judge. Harm at the requests is what most changes do, and either of the first two may be the quicker one. */
const WEIGHTS: Readonly<Record<Statistical, number>> = { objective: 2, relative: 2, drops: 1 };

/**
 * Splits one watch's alpha over the judges that take part in it; known before the first event. The parts sum to alpha, so by the
 * union bound a healthy canary is called harmful by any of them with probability at most alpha. (One sum of all evidences at 1/alpha
 * would be a little quicker, but the relative evidence moves in blocks and stopping inside one would not be allowed.)
 */
export function splitAlpha(alpha: number, judges: readonly Statistical[]): Readonly<Record<Statistical, number>> {
  const whole = judges.reduce((sum, judge) => sum + WEIGHTS[judge], 0);
  const part = (judge: Statistical) => (judges.includes(judge) ? (alpha * WEIGHTS[judge]) / whole : 0);
  return { objective: part('objective'), relative: part('relative'), drops: part('drops') };
}
