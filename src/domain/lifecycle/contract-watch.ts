import type { JsonObject } from '../json.ts';
import type { Counts, Verdict } from '../judge/verdict.ts';
import type { Target } from '../target.ts';
import type { VerbName } from './change.ts';
import type { RestoreInput, RestoreResult } from './contract-undo.ts';
import type { OperationView } from './operation.ts';
import type { Plan, PlannedStage } from './plan.ts';
import type { OperationSettings } from './settings.ts';

/** The part of the contract between workflows and activities that is about watching: what a watch is given, and what it has seen. */
export interface WatchInput {
  readonly opId: string;
  readonly target: Target;
  readonly verb: VerbName;
  /** `stage`: soak of one stage. `after`: afterwatch. `restored`: 60 s after an undo, without a fuse. */
  readonly purpose: 'stage' | 'after' | 'restored';
  readonly stage: PlannedStage;
  /** How long it is watched; of a guard, how long one judge plans with. */
  readonly durationMs: number;
  /** A guard watches while people are asked or a stage is written: until it is relieved (by the next watch, or cancelled), or so long (ms). */
  readonly guardMs?: number;
  /** Cancelled by its workflow, it ends with what it has seen instead of as cancelled. */
  readonly relievable?: boolean;
  /** Somebody else has changed the objects and people are asked: the traffic is watched as it is; what is there now is only shown. */
  readonly drifted?: boolean;
  /** The stage is being written: what is there is not compared. */
  readonly applying?: boolean;
  /** Failures above objective x requests that this operation's earlier watches have used of its budget. Absent: told by the view. */
  readonly spent?: number;
  /** What was seen before this is no point of this watch's chart (epoch ms). Absent: everything is. */
  readonly chartFrom?: number;
  /**
   * Bound on ever rolling back a healthy change: by all watches whose evidence is carried on together, or by this one alone, which is a guard.
   */
  readonly alpha: number;
  /** The evidence of the operation's watches as this one goes on with it; absent: it stands alone. */
  readonly evidence?: {
    /** Which of these watches this is, from 1. */
    readonly watch: number;
    /** What the operation planned when it began to watch: watches, the afterwatch included, and their length in all. */
    readonly planned: { readonly watches: number; readonly ms: number };
    /** What the watch before left. */
    readonly carried?: JsonObject;
  };
  readonly settings: OperationSettings;
  readonly plan: Plan;
  /** Keys of the doubts that people have accepted in this operation. */
  readonly accepted: readonly string[];
  /** How many of an accepted doubt are accepted in one watch, by key; a key that is not there: any number. */
  readonly acceptedMost?: Readonly<Record<string, number>>;
  /** Doubts that people were asked about and put off by watching on: told at the end of this watch. */
  readonly postponed?: readonly string[];
  /** Fuse: what is put back, and how. */
  readonly fuse: RestoreInput;
  /** Rendered with live numbers when the watch edits the message. */
  readonly view: OperationView;
}
export interface WatchResult {
  readonly verdict: Verdict;
  /** Present when the fuse fired. */
  readonly fuse?: { readonly result: RestoreResult; readonly startedAt: number; readonly endedAt: number };
  readonly counts: Counts;
  /** At most 120 points. */
  readonly series: readonly SeriesPoint[];
  readonly startedAt: number;
  readonly endedAt: number;
  /** It was cancelled or the next watch took over; the verdict says what was seen until then. */
  readonly relieved?: boolean;
  /** False: it has heard nothing that a judge could weigh, so its share of alpha is not spent. Absent: not known. */
  readonly judged?: boolean;
  /** Failures above objective x requests that it has counted. */
  readonly spent?: number;
  /** What the next watch's evidence goes on from; at most 4 kB. */
  readonly carried?: JsonObject;
}
/** One bucket of the chart. `at` epoch ms, `ms` its width. */
export interface SeriesPoint {
  readonly at: number;
  readonly ms: number;
  readonly stage: number;
  /** Share in percent that was in force by the operation's doing; absent once everything is put back. */
  readonly percent?: number;
  readonly canary: { readonly requests: number; readonly failures: number };
  readonly stable: { readonly requests: number; readonly failures: number };
}
