import type { Evidence } from '../evidence.ts';
import type { JsonObject } from '../json.ts';
import type { Counts, Verdict } from '../verdict.ts';

/** What one watch holds its canary to. Shares 0..1, times in milliseconds. */
export interface JudgeSettings {
  readonly objective: number;
  /** Bound on ever calling this watch's healthy canary harmful. */
  readonly alpha: number;
  /** Planned length of the watch: the prior over start times is uniform over it. */
  readonly durationMs: number;
  readonly startedAt: number;
  readonly minRequests: number;
  readonly canaryService: string;
  /**
   * Share exposed while this watch lasts, 0..1. At 0 nothing is asked of the canary: its missing endpoints harm nobody, and silence
   * is what was wanted. Left out: more than 0.
   */
  readonly exposure?: number;
}

/** One watch's judge. It has no clock: time comes with the events. */
export interface Judge {
  /** Takes one event; returns a verdict as soon as it is reached (harmful, blind, drift), else undefined. */
  hear(event: Evidence): Verdict | undefined;
  /** What is to be said when the soak is over at `at`: healthy, no-traffic or blind. */
  conclude(at: number): Verdict;
  readonly counts: Counts;
  /** Everything needed to go on elsewhere: goes into heartbeat details. */
  snapshot(): JsonObject;
}
