import type { Block } from './blocks.ts';
import { Comparison } from './comparison.ts';
import { Excused } from './excused.ts';
import type { Statistical } from './judge.ts';
import { type Failure, Objective } from './objective.ts';
import { FIRST, type Planned, partOf } from './prior.ts';
import { Share } from './share.ts';
import type { TotalSnapshot } from './snapshot.ts';
import type { Terms } from './terms.ts';

/**
 * The evidence of a whole operation: one test supermartingale
 *
 *   W = .35 objective + .55 comparison + .10 share
 *
 * that begins at 1, goes on from watch to watch and through the guards between them, and must reach 1/alpha. So a healthy canary is ever rolled back
 * with probability at most alpha (Ville 1939), and nothing is split over judges or watches: a later watch only releases its part of the mass.
 *
 * Comparison and share move in blocks. Stopping inside one would be allowed only without them: there the objective must reach 1/alpha alone. At
 * a stop inside a block they count as 0, and to drop a nonnegative product inside a block only lowers its mean; so E[W at any stop] <= 1. At the
 * end of a block the objective counts as it was when the block's time was over, since to stop by what later requests did would be peeking.
 */
export class Total {
  readonly #weights: Terms['weights'];
  readonly #planned: Planned;
  readonly #objective: Objective;
  readonly #comparison: Comparison;
  readonly #share: Share;
  readonly #excused: Excused | undefined;
  readonly #terms: Terms;
  /** The objective is asked of each request. */
  readonly #hearsObjective: boolean;
  /** Start and stage of the watches so far, the newest last. */
  #began: readonly (readonly [number, number])[];

  constructor(settings: { readonly objective: number; readonly planned: Planned }, terms: Terms, from?: TotalSnapshot) {
    this.#terms = terms;
    this.#hearsObjective = terms.objective !== undefined && !terms.excused;
    this.#weights = from?.weights ?? terms.weights;
    this.#planned = from?.planned ?? settings.planned;
    const p0 = terms.objective ?? settings.objective;
    this.#objective = new Objective(p0, this.#planned, from?.objective);
    this.#comparison = new Comparison(this.#planned, from?.comparison);
    this.#share = new Share(this.#planned, from?.share);
    if (this.#weights.excused > 0) this.#excused = new Excused(p0, this.#planned, from?.excused);
    this.#began = from?.began ?? [];
  }

  /** A watch begins: the n-th that judges a stage, or a guard (undefined), which goes on and releases nothing of its own. */
  begin(at: number, watch: number | undefined, stage: number): void {
    const part = (first: number) => partOf(watch ?? 1, this.#planned, first);
    const parts = watch === undefined ? undefined : { start: part(FIRST.start), failures: part(FIRST.failures) };
    this.#objective.begin(at, parts);
    this.#share.begin(at, this.#terms.share);
    if (this.#terms.compared) this.#comparison.begin(at, parts);
    if (this.#terms.excused) this.#excused?.begin(at, parts);
    // An array that is pushed to keeps room for 16 more.
    const known = this.#began.length < MOST ? this.#began : this.#began.toSpliced(1, 1);
    this.#began = [...known, [at, stage]];
  }

  ask(clock: number): void {
    if (this.#hearsObjective) this.#objective.ask(clock);
  }

  /** A request of the canary has been answered. */
  succeed(asked: boolean, clock: number): void {
    if (this.#hearsObjective) this.#objective.succeed(asked, clock);
  }

  /** A request of the canary has failed. True: harm, by the objective alone. */
  fail(failure: Failure, clock: number): boolean {
    if (!this.#hearsObjective) return false;
    this.#objective.fail(failure, clock);
    return this.between() >= this.#terms.needed;
  }

  objective(): number {
    return this.#objective.value();
  }

  /** A settled block. True: harm. */
  take(block: Block): boolean {
    if (this.#terms.compared) this.#comparison.take(block);
    if (this.#terms.excused) this.#excused?.take(block);
    this.#share.take(block);
    return this.#sum(block.objective === -1 ? this.objective() : block.objective) >= this.#terms.needed;
  }

  /** The sum as it was at the end of the last block, with the objective as it is. */
  value(): number {
    return this.#sum(this.objective());
  }

  /** Where no block is under way everything counts, else the objective alone. */
  between(): number {
    const moves = this.#terms.compared || this.#terms.share > 0;
    return moves ? this.#weights.objective * this.objective() : this.value();
  }

  #sum(objective: number): number {
    const weights = this.#weights;
    return (
      weights.objective * objective +
      weights.relative * this.#comparison.value() +
      weights.silence * this.#share.value() +
      weights.excused * (this.#excused?.value() ?? 0)
    );
  }

  /** What each test has come to, as odds. */
  parts(): Readonly<Record<Statistical | 'excused', number>> {
    return {
      objective: this.objective(),
      relative: this.#comparison.value(),
      silence: this.#share.value(),
      excused: this.#excused?.value() ?? 0,
    };
  }

  get weights(): Terms['weights'] {
    return this.#weights;
  }

  /** Which test has brought most, and the first failure that it counts. */
  leading(): { readonly judge: Statistical; readonly firstHarmAt: number | undefined } {
    const parts = this.parts();
    const of = (name: Statistical | 'excused') => this.#weights[name] * parts[name];
    const objective = of('objective') + of('excused');
    if (of('silence') > Math.max(objective, of('relative'))) return { judge: 'silence', firstHarmAt: this.#share.firstHarmAt() };
    const compared = this.#comparison.firstHarmAt();
    return of('relative') > objective
      ? { judge: 'relative', firstHarmAt: compared }
      : { judge: 'objective', firstHarmAt: this.#objective.firstHarmAt() ?? compared };
  }

  /** Number of the stage that was watched at `at`. */
  stageAt(at: number): number | undefined {
    return this.#began.findLast(([from]) => from <= at)?.[1];
  }

  get silence(): Share['silence'] {
    return this.#share.silence;
  }

  /** What was heard since the last state is lost: see `Objective.forget`. */
  forget(): void {
    this.#objective.forget();
    this.#comparison.forget();
    this.#share.forget();
    this.#excused?.forget();
  }

  snapshot(): TotalSnapshot {
    return {
      weights: { ...this.#weights },
      planned: { ...this.#planned },
      objective: this.#objective.snapshot(),
      comparison: this.#comparison.snapshot(),
      share: this.#share.snapshot(),
      ...(this.#excused && { excused: this.#excused.snapshot() }),
      began: this.#began,
    };
  }
}

/** Watches whose start is remembered: the first one, and the newest. */
const MOST = 12;
