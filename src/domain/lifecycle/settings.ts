import type { GateRule } from './gate.ts';

/**
 * Everything of the configuration that one operation needs, frozen into its request when it starts,
 * so that a reload of the configuration never changes a running operation. All durations in milliseconds.
 */
export interface OperationSettings {
  /** Shares in percent that a long climb visits, e.g. `[1, 5, 10, 25, 50, 100]`. */
  readonly ladder: readonly number[];
  readonly soakMs: number;
  readonly afterwatchMs: number;
  /** How long the traffic is watched after harm was put back. Absent (requests of earlier versions) or 0: not at all. */
  readonly restoredWatchMs?: number;
  /** How long a hold waits for an answer before it rolls back. */
  readonly holdMs: number;
  /** An undo that has failed for so long is told to people, and may be released. Absent (requests of earlier versions): 30 s. */
  readonly undoToldMs?: number;
  /** How often a freeze is looked at, at first: it may be lifted early. Absent (requests of earlier versions): 10 s. */
  readonly freezeLookMs?: number;
  /** Failure share that a healthy canary may have, 0..1. */
  readonly objective: number;
  /** What the canary is held to (`JudgeSettings.slo`); absent: both. */
  readonly slo?: 'both' | 'absolute' | 'relative' | 'excused';
  /** Failures above objective x requests that people allow the whole operation; absent: no such limit. */
  readonly budget?: number;
  /** Confidence, 0..1, with which a stage's failure share must be proved to lie within the objective; absent: the counts suffice. */
  readonly confidence?: number;
  /** Requests of our own that are sent while a stage is watched, and count for the side they reach; absent: none. */
  readonly probes?: { readonly perSecond: number; readonly path?: string };
  /** A response later than this is a failure. */
  readonly latencyLimitMs: number;
  /** Bound on ever rolling back a healthy change, for the whole operation. */
  readonly alpha: number;
  /** Requests the canary must have answered in a stage before it may be called healthy. */
  readonly minRequests: number;
  /** How long the controller may take to accept a write. */
  readonly realiseMs: number;
  readonly watchHeartbeatMs: number;
  /** Least time between two edits of one Slack message. */
  readonly editEveryMs: number;
  /** `refuse`: nothing is planned that a GitOps tool would write back. Absent: the plan says so. */
  readonly gitops?: 'refuse';
  /** All agents of the cluster may be restarted together, where its routing leaves no other way. Absent: they may not. */
  readonly tunnelWindow?: 'allowed';
  readonly gates: readonly GateRule[];
}
