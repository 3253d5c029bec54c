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
 * weight along. The prior over start times has three parts: "from the first request on", where a change most often does its harm; "at
 * some moment", uniform over the watch; and "after the n-th failure" with weight 1/(n (n + 1)), which pays for the few failures of a
 * good canary instead of for its many requests: at 0.1% before the change it notices 10% about 20 requests earlier.
 */
export interface Evidences {
  /** Takes one canary request: the prior mass that was released since the last one, and whether it failed. */
  add(mass: number, failed: boolean, at: number): void;
  /** Releases mass without a request: what is not counted (a retry) must not hold it back. */
  release(mass: number): void;
  /** The evidence as odds; 1 in the beginning. Grows at failures only. */
  value(): number;
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
  /** Counted failures so far, and the prior mass that later ones still release. Absent in snapshots of an earlier build. */
  readonly failures?: readonly [number, number];
}

/** Alternatives, from twice a strict objective to complete failure. */
const GRID: readonly number[] = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95];
/** An alternative nearer to p0 than this (as odds ratio) would cost prior mass and never decide within one watch. */
const LEAST_ODDS_RATIO = 1.5;
/** Prior masses of the three parts; they sum to 1. */
export const PRIOR = { start: 0.4, time: 0.3, failures: 0.3 } as const;
/** Below this a sum is 0: it has lost, and numbers beyond the normal range of doubles would slow down every later request. */
const NOTHING = 1e-290;

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
  return new Mixture(p0, resumed);
}

interface Table {
  readonly size: number;
  /** Likelihood ratios: of a failure, then of a success; and their logarithms in the same order. */
  readonly ratios: Float64Array;
  readonly logs: Float64Array;
}

function tableFor(p0: number): Table {
  const grid = alternatives(p0);
  const ratios = Float64Array.from([...grid.map((p1) => p1 / p0), ...grid.map((p1) => (1 - p1) / (1 - p0))]);
  return { size: grid.length, ratios, logs: ratios.map(Math.log) };
}

class Mixture implements Evidences {
  readonly #table: Table;
  /** Per alternative: the weighted likelihood, its run since the lowest point, and the first failure of that run. One block of memory. */
  readonly #state: Float64Array;
  #remaining: number;
  #failures: number;
  #failuresRemaining: number;

  constructor(p0: number, resumed: EvidenceSnapshot | undefined) {
    this.#table = tableFor(p0);
    const { size } = this.#table;
    this.#state = new Float64Array(3 * size);
    this.#state.fill(PRIOR.start, 0, size);
    this.#state.fill(-1, 2 * size);
    if (resumed) this.#state.set([...resumed.sums, ...resumed.runs, ...resumed.since]);
    this.#remaining = resumed?.remaining ?? PRIOR.time;
    [this.#failures, this.#failuresRemaining] = resumed ? (resumed.failures ?? [0, 0]) : [0, PRIOR.failures];
  }

  add(mass: number, failed: boolean, at: number): void {
    const state = this.#state;
    const { size, ratios, logs } = this.#table;
    const released = this.#take(mass);
    const offset = failed ? 0 : size;
    for (let j = 0; j < size; j += 1) {
      const sum = ((state[j] as number) + released) * (ratios[offset + j] as number);
      state[j] = sum < NOTHING ? 0 : sum;
      // Which failures carry the evidence: the run since its likelihood was last at its lowest (Page 1954); for the report only.
      const run = (state[size + j] as number) + (logs[offset + j] as number);
      if (run > 0) {
        state[size + j] = run;
        if (failed && state[2 * size + j] === -1) state[2 * size + j] = at;
      } else {
        state[size + j] = 0;
        state[2 * size + j] = -1;
      }
    }
    if (failed) this.#after();
  }

  /** Known before the next request, so it may be decided by this one. */
  #after(): void {
    this.#failures += 1;
    const left = PRIOR.failures / (this.#failures + 1);
    const released = Math.max(0, this.#failuresRemaining - left);
    this.#failuresRemaining -= released;
    for (let j = 0; j < this.#table.size; j += 1) this.#state[j] = (this.#state[j] as number) + released;
  }

  release(mass: number): void {
    const released = this.#take(mass);
    for (let j = 0; j < this.#table.size; j += 1) this.#state[j] = (this.#state[j] as number) + released;
  }

  #take(mass: number): number {
    const wanted = mass > 0 ? mass * PRIOR.time : 0;
    const released = wanted < this.#remaining ? wanted : this.#remaining;
    this.#remaining -= released;
    return released;
  }

  value(): number {
    const { size } = this.#table;
    let total = 0;
    for (let j = 0; j < size; j += 1) total += this.#state[j] as number;
    return total / size + this.#remaining + this.#failuresRemaining;
  }

  log(): number {
    return Math.log(this.value());
  }

  firstHarmAt(): number | undefined {
    const { size } = this.#table;
    let most = 0;
    for (let j = 1; j < size; j += 1) if ((this.#state[j] as number) > (this.#state[most] as number)) most = j;
    const at = this.#state[2 * size + most] ?? -1;
    return at === -1 ? undefined : at;
  }

  snapshot(): EvidenceSnapshot {
    const { size } = this.#table;
    const part = (index: number) => [...this.#state.subarray(index * size, (index + 1) * size)];
    const failures = [this.#failures, this.#failuresRemaining] as const;
    return { sums: part(0), remaining: this.#remaining, runs: part(1), since: part(2), failures };
  }
}
