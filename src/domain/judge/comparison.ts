import type { Block } from './blocks.ts';
import { Hypergeometric } from './hypergeometric.ts';
import { Powers } from './powers.ts';
import { MASS, Masses, type MassesSnapshot, type Parts, type Planned } from './prior.ts';
import { Runs, type RunsSnapshot } from './runs.ts';

/**
 * Evidence against "the canary does no worse than its control in the same requests": a test supermartingale over blocks (blocks.ts).
 *
 * The split is random per request. So, given how many requests a block has, how many are the canary's and which of them fail, the canary's
 * failures are hypergeometric where the sides are alike, and the likelihood ratio of any odds above 1 has mean 1; where the canary is better
 * at any of them the ratio is smaller, request by request. Whatever both sides do meanwhile (outages, bursts, drift) costs nothing.
 *
 * Mass after failures of the canary: some is released for good, most is lent to large odds and comes back little by little with canary requests,
 * so that failures that stay alone cost little. Moves between accounts make no money.
 *
 * What breaks it: labels that are not random per request (sticky sessions, header A/B), requests that were not split, a canary whose pods
 * are cold. None of these is given to it.
 */
const ODDS: readonly number[] = [2, 5, 15, 100];
const ODDS_WEIGHTS: readonly number[] = [0.2, 0.2, 0.3, 0.3];
const LENT_WEIGHTS: readonly number[] = [0, 0, 0.4, 0.6];
/** Part of the mass after failures that is lent; part of the pool that each failure takes; part of a loan that a canary request brings back. */
const LENT = 0.6;
const TAKEN = 0.6;
const BROUGHT_BACK = 0.007;
const KEPT = new Powers(1 - BROUGHT_BACK);
const LAW = new Hypergeometric(ODDS);
/** Of the block that is looked at. */
const RATIOS: number[] = ODDS.map(() => 0.5);

interface ComparisonSnapshot extends MassesSnapshot {
  readonly sums: readonly number[];
  readonly lent: readonly number[];
  /** To lend in watches to come, and now. */
  readonly toLend: readonly [number, number];
  readonly runs: RunsSnapshot;
}

export class Comparison {
  readonly #masses: Masses;
  readonly #sums: number[];
  readonly #lent: number[];
  readonly #runs: Runs;
  #nextLent: number;
  #toLend: number;

  constructor(planned: Planned, from?: ComparisonSnapshot) {
    this.#masses = new Masses(planned, from, 1 - LENT);
    this.#sums = [...(from?.sums ?? ODDS.map(() => 0))];
    this.#lent = [...(from?.lent ?? ODDS.map(() => 0))];
    [this.#nextLent, this.#toLend] = from?.toLend ?? [MASS.failures * LENT, 0];
    this.#runs = new Runs(ODDS.length, from?.runs);
  }

  /** As in `Objective.begin`. */
  begin(at: number, parts: Parts | undefined): void {
    const own = parts && { ...parts, failures: parts.failures * (1 - LENT) };
    spread(this.#sums, this.#masses.begin(at, own), ODDS_WEIGHTS);
    if (!parts) return;
    const toLend = Math.min(this.#nextLent, MASS.failures * LENT * parts.failures);
    this.#nextLent -= toLend;
    this.#toLend += toLend;
  }

  /** Takes a settled block. */
  take(block: Block): void {
    const { from, events, canary, failures, canaryFailures, harmAt } = block;
    spread(this.#sums, this.#masses.pass(from), ODDS_WEIGHTS);
    const isMixed = failures > 0 && canary > 0 && canary < events;
    if (isMixed) {
      LAW.ratios(block, RATIOS);
      for (let j = 0; j < ODDS.length; j += 1) {
        const ratio = RATIOS[j] as number;
        this.#sums[j] = (this.#sums[j] as number) * ratio;
        this.#lent[j] = (this.#lent[j] as number) * ratio;
      }
      this.#runs.add(RATIOS, harmAt);
    }
    this.#bringBack(canary);
    if (isMixed && canaryFailures > 0) this.#after(canaryFailures);
  }

  #bringBack(canary: number): void {
    const kept = KEPT.of(canary);
    for (let j = 0; j < ODDS.length; j += 1) {
      const back = (this.#lent[j] as number) * (1 - kept);
      this.#lent[j] = (this.#lent[j] as number) - back;
      this.#toLend += back;
    }
  }

  #after(failures: number): void {
    const lent = this.#toLend * (1 - (1 - TAKEN) ** failures);
    this.#toLend -= lent;
    spread(this.#lent, lent, LENT_WEIGHTS);
    spread(this.#sums, this.#masses.after(failures), ODDS_WEIGHTS);
  }

  /** The mean of the ratios of a block over all odds, weighted: at most 1 in the mean where the canary is no worse. */
  static meanRatio(block: Block): number {
    if (block.failures === 0 || block.canary === 0 || block.canary === block.events) return 1;
    LAW.ratios(block, RATIOS);
    return RATIOS.reduce((sum, ratio, j) => sum + (ODDS_WEIGHTS[j] as number) * ratio, 0);
  }

  /** The evidence as odds at the end of the last block; 1 in the beginning. */
  value(): number {
    let total = this.#masses.left + this.#nextLent + this.#toLend;
    for (let j = 0; j < ODDS.length; j += 1) total += (this.#sums[j] as number) + (this.#lent[j] as number);
    return total;
  }

  /** Event time of the first canary failure of the run that carries most of the evidence. */
  firstHarmAt(): number | undefined {
    return this.#runs.since((j) => (this.#sums[j] as number) + (this.#lent[j] as number));
  }

  /** As in `Objective.forget`. */
  forget(): void {
    this.#sums.fill(0);
    this.#lent.fill(0);
    this.#masses.forget();
    this.#toLend = 0;
    this.#runs.clear();
  }

  snapshot(): ComparisonSnapshot {
    return {
      sums: [...this.#sums],
      lent: [...this.#lent],
      toLend: [this.#nextLent, this.#toLend],
      ...this.#masses.snapshot(),
      runs: this.#runs.snapshot(),
    };
  }
}

function spread(sums: number[], mass: number, weights: readonly number[]): void {
  for (let j = 0; j < sums.length; j += 1) sums[j] = (sums[j] as number) + mass * (weights[j] as number);
}
