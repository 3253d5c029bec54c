/**
 * How the evidence is spread before anything is heard: over the times at which harm may begin. Each test begins
 * at 1 as the sum of these masses. A mass is released when its turn comes, known before what it is multiplied by; until then it stays 1 to 1.
 */

/** Harm begins with a watch, at some moment, or after the n-th failure of the canary with weight 1/(n (n + 1)). They sum to 1. */
export const MASS = { start: 0.33, time: 0.06, failures: 0.61 } as const;
/** Part of the first watch, and of all watches that were not planned; the others that were share the rest. */
export const FIRST = { start: 0.75, failures: 0.7 } as const;
const UNPLANNED = 0.1;

/** What an operation means to do: watches (the afterwatch counts as one), and their length in all (ms). */
export interface Planned {
  readonly watches: number;
  readonly ms: number;
}

/** Part of a mass that the n-th watch (from 1) gets. Over all watches there could ever be the parts sum to at most 1 (Basel problem). */
export function partOf(watch: number, { watches }: Planned, first: number): number {
  if (watch > watches) return (UNPLANNED * 6) / (Math.PI * (watch - watches)) ** 2;
  if (watches === 1) return 1 - UNPLANNED;
  return watch === 1 ? first : (1 - first - UNPLANNED) / (watches - 1);
}
