import type { JsonObject } from '../json.ts';
import type { Evidence } from './evidence.ts';
import type { Planned } from './prior.ts';

import type { Counts, Verdict } from './verdict.ts';

/** What one watch holds its canary to. Shares 0..1, times in milliseconds. */
export interface JudgeSettings {
  readonly objective: number;
  /** Bound on ever calling a healthy canary harmful, over the whole operation. */
  readonly alpha: number;
  /** Planned length of the watch. */
  readonly durationMs: number;
  /** Watches that the operation plans, and their length in all; left out: this one. Evidence that is carried brings its own. */
  readonly planned?: Planned;
  /** Which of the operation's watches of stages this is, from 1; left out: the first. 'guard': beside a gate or a hold. */
  readonly watch?: number | 'guard';
  /** Number of the stage, for people. */
  readonly stage?: number;
  /** An answer comes at most so late after its request (ms), else it is a failure by then; left out: in the order of the requests. */
  readonly lateMs?: number;
  /** False: who gets a request is not drawn at random for each (header A/B, sticky sessions), so nothing can be compared. */
  readonly split?: boolean;
  /** False: another hand has changed the weights, so the share is not known. */
  readonly known?: boolean;
  readonly startedAt: number;
  readonly minRequests: number;
  readonly canaryService: string;
  /**
   * Share exposed while this watch lasts, 0..1. At 0 nothing is asked of the canary: its missing endpoints harm nobody, and silence
   * is what was wanted. At 1 there is no control. Left out: in between.
   */
  readonly exposure?: number;
  /**
   * What the canary is held to. `both` (left out: this): neither more failures than the objective nor more than its control in the
   * same requests, so that a regression inside the objective is found too. `absolute`: the objective only. `relative`: the control only,
   * where that breaks the objective itself; without a control (exposure 1) `baseline` stands in for it. `excused`: at each time the objective
   * or its control, whichever fails more.
   */
  readonly slo?: 'both' | 'absolute' | 'relative' | 'excused';
  /** What everybody's requests did before the operation, for `relative` without a control. */
  readonly baseline?: { readonly requests: number; readonly failures: number };
  /** People's own limit: so many failures above objective x requests end it, whatever chance says. Not covered by alpha. */
  readonly budget?: number;
  /** Left out: `{ kind: 'counts' }`. */
  readonly promotion?: Promotion;
}

/**
 * What `healthy` needs besides `minRequests`.
 *
 * `counts`: the failures counted are within the objective, rounded to whole failures. The default, since it can be met in every ordinary soak: the next stage
 * exposes only one rung more, and its watch, the afterwatch and their fuse go on judging. What it cannot say: 120 requests pass with 1.6%
 * probability at a true share of 5%, with 12% at 3%.
 *
 * `confidence`: an anytime-valid upper bound of the failure share over the whole watch, at this level (0.05 = 95% confidence), lies below the
 * objective, else the watch holds and says how many more requests it needs. For an objective of 1% at 0.05 that takes 363 requests without a
 * failure (299 is the least possible), about 620 at 0.1% failures and 2,600 at 0.5%: choose it where a soak brings as many. It says nothing of how
 * the canary is just now.
 */
export type Promotion = { readonly kind: 'counts' } | { readonly kind: 'confidence'; readonly level: number };

/** One watch's judge. It has no clock: time comes with the events. */
export interface Judge {
  /** Takes one event; returns a verdict as soon as it is reached (harmful, blind, drift), else undefined. */
  hear(event: Evidence): Verdict | undefined;
  /** What is to be said when the soak is over at `at`: healthy, no-traffic or blind. */
  conclude(at: number): Verdict;
  /** Why evidence up to `at` may still come, where some is late or a stream is just being opened again: to conclude now would be early. */
  pending?(at: number): string | undefined;
  readonly counts: Counts;
  /** Everything needed to go on elsewhere: goes into heartbeat details. */
  snapshot(): JsonObject;
  /** What the next watch of the operation goes on from; absent where each watch stands alone. At most 4 kB. */
  carry?(): JsonObject | undefined;
}

/** A judge that says how far each of its parts is: what a replay explains. */
export interface ExplainedJudge extends Judge {
  standing(): readonly Standing[];
}

/** How far the sum (`all`) and each of its tests are, as odds; a test would speak alone at `needed`. */
export interface Standing {
  readonly judge: 'all' | Statistical;
  readonly evidence: number;
  readonly needed: number;
}

/** The three tests, each with its name in verdicts. */
export type Statistical = 'objective' | 'relative' | 'silence';
