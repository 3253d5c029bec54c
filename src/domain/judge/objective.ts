import { Marks, type MarksSnapshot } from './marks.ts';
import { Masses, type MassesSnapshot, type Parts, type Planned } from './prior.ts';
import { Runs, type RunsSnapshot } from './runs.ts';

/**
 * Evidence against "each canary request fails with probability at most p0, whatever the requests before it did": a test supermartingale that
 * begins at 1, so that P(it ever reaches 1/alpha) <= alpha (Ville 1939).
 *
 * - One alternative p1 multiplies by p1/p0 at a failure and by (1-p1)/(1-p0) at a success; its mean is at most 1 for every p <= p0 (Wald 1945).
 * - A fixed grid of alternatives needs no guess how bad it will be (Robbins 1970).
 * - Start times: S <- (S + released mass) L; what is not released yet stays 1 to 1 (prior.ts).
 *
 * Requests count in the order in which they began. Else failures that are slower than successes would come after all of these, at the end
 * of a batch, and look like a canary that has just gone bad; and those that are quicker would come before all of them. So a failure raises
 * only mass that was released before its request began (marks.ts), and a request that is known to be open counts as a success until it is
 * answered. Either can only lower the value, never raise it above that of the same sequence with every answer in its place.
 */
const GRID: readonly number[] = [0.02, 0.04, 0.1, 0.25, 0.95];
export const GRID_WEIGHTS: readonly number[] = [0.15, 0.15, 0.2, 0.2, 0.3];
/** The grid was made for this objective; for others the alternatives keep their odds ratio to it. */
const GRID_FOR = 0.01;

/** Alternatives that are tried against `p0`, each worse than it. */
export function alternatives(p0: number): readonly number[] {
  if (!(p0 > 0 && p0 <= 0.9)) throw new RangeError(`An objective lies between 0 and 0.9, not at ${p0}.`);
  const scale = (p0 / (1 - p0)) * ((1 - GRID_FOR) / GRID_FOR);
  return GRID.map((p1) => {
    const odds = (p1 / (1 - p1)) * scale;
    return odds / (1 + odds);
  });
}

interface ObjectiveSnapshot extends MassesSnapshot {
  /** Released mass, and what of it was released when. */
  readonly marks: MarksSnapshot;
  readonly runs: RunsSnapshot;
}

/** A canary request that has failed, as the objective hears it. Times in ms of event time. */
export interface Failure {
  /** When it began. */
  readonly start: number;
  /** It was told as open before, by `ask`. */
  readonly asked: boolean;
  /** When it is heard. */
  readonly at: number;
}

/** Factors of a failure, of a success, and of an open request that has failed after all. */
interface Factors {
  readonly up: readonly number[];
  readonly down: readonly number[];
  readonly turned: readonly number[];
}

export class Objective {
  readonly #factors: Factors;
  readonly #masses: Masses;
  readonly #runs: Runs;
  readonly #marks: Marks;
  /** Successes that the runs have not heard of yet. */
  #successes = 0;

  constructor(p0: number, planned: Planned, from?: ObjectiveSnapshot) {
    this.#factors = factorsFor(p0);
    this.#masses = new Masses(planned, from);
    this.#runs = new Runs(GRID.length, from?.runs);
    this.#marks = new Marks(this.#factors.down, from?.marks);
  }

  /** A watch begins at `at`. */
  begin(at: number, parts: Parts | undefined): void {
    this.#marks.add(this.#masses.begin(at, parts), GRID_WEIGHTS);
    this.#marks.begin(at);
  }

  /** A request of the canary is known to be open. */
  ask(clock: number): void {
    if (this.#marks.isDue(clock)) this.#pass(clock);
    this.#marks.succeed();
  }

  /** A request of the canary has been answered. `asked`: it was told as open before. `clock`: latest event time heard before it. */
  succeed(asked: boolean, clock: number): void {
    if (this.#marks.isDue(clock)) this.#pass(clock);
    if (!asked) this.#marks.succeed();
    this.#successes += 1;
  }

  /** A request of the canary has failed, or will never be answered. */
  fail({ start, asked, at }: Failure, clock: number): void {
    const { up, turned } = this.#factors;
    if (this.#marks.isDue(clock)) this.#pass(clock);
    this.#marks.fail(start, asked ? turned : up);
    this.#after(Math.max(at, clock));
    this.#lower();
    this.#runs.add(up, at);
  }

  #lower(): void {
    this.#runs.lower(this.#factors.down, this.#successes);
    this.#successes = 0;
  }

  /** Released mass is known before any request that begins from now on. */
  #after(heardAt: number): void {
    this.#marks.add(this.#masses.after(1), GRID_WEIGHTS);
    this.#marks.set(heardAt);
  }

  /** Time's mass counts from the next mark on, so it is released with it. */
  #pass(clock: number): void {
    this.#marks.add(this.#masses.pass(clock), GRID_WEIGHTS);
    this.#marks.set(clock);
  }

  /** The evidence as odds; 1 in the beginning. */
  value(): number {
    return this.#marks.sum(this.#masses.left);
  }

  /** Event time of the first failure of the run that carries most of the evidence. */
  firstHarmAt(): number | undefined {
    this.#lower();
    return this.#runs.since((j) => this.#marks.worth(j));
  }

  /** What was heard can no longer be told: everything that it may have changed is thrown away, which can only lower the value. */
  forget(): void {
    this.#marks.clear();
    this.#masses.forget();
    this.#successes = 0;
    this.#runs.clear();
  }

  snapshot(): ObjectiveSnapshot {
    this.#lower();
    return { marks: this.#marks.snapshot(), ...this.#masses.snapshot(), runs: this.#runs.snapshot() };
  }
}

const FACTORS = new Map<number, Factors>();

/** One table for all judges of an objective; people set a handful of them. */
export function factorsFor(p0: number): Factors {
  const known = FACTORS.get(p0);
  if (known) return known;
  const grid = alternatives(p0);
  const up = grid.map((p1) => p1 / p0);
  const down = grid.map((p1) => (1 - p1) / (1 - p0));
  const factors = { up, down, turned: up.map((factor, j) => factor / (down[j] ?? 1)) };
  if (FACTORS.size < 1_000) FACTORS.set(p0, factors);
  return factors;
}
