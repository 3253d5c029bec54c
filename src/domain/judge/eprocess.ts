/**
 * Evidence against "each canary request fails with probability at most p0, whatever came before": a test martingale, so that by
 * Ville's inequality P(it ever reaches 1/alpha) <= alpha (Ville 1939), at any time and however often it is looked at.
 *
 * - One simple alternative p1 multiplies by L = p1/p0 at a failure and (1-p1)/(1-p0) at a success; the mean of L is at most 1 for
 *   every p <= p0, also when p moves with time (Wald 1945; for counts Lindon & Malek, arXiv 2011.03567).
 * - The mixture over a fixed grid of p1 needs no guess how bad it will be (Robbins 1970).
 * - The mixture over start times keeps power when harm begins late: prior mass is handed out as time passes and each piece is
 *   multiplied only from then on, S <- (S + w) L; what has not been handed out stays at 1. The masses sum to 1, so the whole is a
 *   martingale that starts at 1. (Shiryaev-Roberts hands out 1 per event for ever and is none.)
 *
 * The mass `w` that a request releases depends only on what was known before it: otherwise a slow failure would bring its own
 * weight along. Half of the mass stands at the very start, where a change most often does its harm; half is uniform over the watch.
 */
export interface Evidences {
  /** Takes one canary request: the prior mass that was released since the last one, and whether it failed. */
  add(mass: number, failed: boolean, at: number): void;
  /** Natural logarithm of the evidence; 0 in the beginning. */
  log(): number;
  /** Event time of the first failure of the run that carries most of the evidence. */
  firstHarmAt(): number | undefined;
  snapshot(): EvidenceSnapshot;
}

/** Numbers only: doubles survive JSON exactly. */
export interface EvidenceSnapshot {
  readonly sums: readonly number[];
  readonly remaining: number;
  readonly runs: readonly number[];
  /** -1 = no failure in the run. */
  readonly since: readonly number[];
}

/** Alternatives, from twice a strict objective to complete failure. */
const GRID: readonly number[] = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95];
/** An alternative nearer to p0 than this (as odds ratio) would cost prior mass and never decide within one watch. */
const LEAST_ODDS_RATIO = 1.5;
/** Prior mass of "harmful from the first request on". */
const MASS_AT_START = 0.5;

/** The alternatives that are tried against `p0`. */
export function alternatives(p0: number): readonly number[] {
  if (!(p0 > 0 && p0 <= 0.9)) throw new RangeError(`An objective lies between 0 and 0.9, not at ${p0}.`);
  return GRID.filter((p1) => p1 / (1 - p1) >= (LEAST_ODDS_RATIO * p0) / (1 - p0));
}

/**
 * Evidence against a failure share of at most `p0` (0 < p0 <= 0.9). Plain doubles are safe here: the judge stops at 1/alpha, so a sum
 * is never larger than that times the largest ratio, and a sum that underflows to 0 only loses evidence.
 */
export function createEvidence(p0: number, resumed?: EvidenceSnapshot): Evidences {
  const grid = alternatives(p0);
  const onFailure = Float64Array.from(grid, (p1) => p1 / p0);
  const onSuccess = Float64Array.from(grid, (p1) => (1 - p1) / (1 - p0));
  const logFailure = onFailure.map(Math.log);
  const logSuccess = onSuccess.map(Math.log);
  const sums = Float64Array.from(resumed?.sums ?? grid.map(() => MASS_AT_START));
  const runs = Float64Array.from(resumed?.runs ?? grid.map(() => 0));
  const since = Float64Array.from(resumed?.since ?? grid.map(() => -1));
  let remaining = resumed?.remaining ?? 1 - MASS_AT_START;
  return {
    add(mass, failed, at) {
      const released = Math.min(remaining, Math.max(0, mass * (1 - MASS_AT_START)));
      remaining -= released;
      const ratio = failed ? onFailure : onSuccess;
      const logRatio = failed ? logFailure : logSuccess;
      for (let j = 0; j < grid.length; j += 1) {
        sums[j] = ((sums[j] ?? 0) + released) * (ratio[j] ?? 0);
        // Which failures carry the evidence: the run since its likelihood was last at its lowest (Page 1954); for the report only.
        const run = Math.max(0, (runs[j] ?? 0) + (logRatio[j] ?? 0));
        runs[j] = run;
        if (run === 0) since[j] = -1;
        else if (failed && since[j] === -1) since[j] = at;
      }
    },
    log: () => Math.log(sums.reduce((total, sum) => total + sum, 0) / grid.length + remaining),
    firstHarmAt() {
      const most = sums.reduce((best, sum, j) => (sum > (sums[best] ?? 0) ? j : best), 0);
      const at = since[most] ?? -1;
      return at === -1 ? undefined : at;
    },
    snapshot: () => ({ sums: [...sums], remaining, runs: [...runs], since: [...since] }),
  };
}
