import type { GitOpsTool } from '../gitops/tool.ts';

/** What the judge concludes. A value, never an exception: an exception would be retried. */
export type Verdict =
  /** `unseen`: kinds of traffic that the change concerns and that did not come, in words. */
  | { readonly kind: 'healthy'; readonly counts: Counts; readonly words: string; readonly unseen?: string }
  | Harmful
  | { readonly kind: 'no-traffic'; readonly counts: Counts; readonly needed: number; readonly words: string }
  | { readonly kind: 'blind'; readonly counts: Counts; readonly reason: string; readonly words: string }
  /** Something is dropped that may be meant to be: people must say. Continuing accepts these doubts, and the watch goes on. */
  | { readonly kind: 'doubtful'; readonly counts: Counts; readonly doubts: readonly Doubt[]; readonly words: string }
  | {
      readonly kind: 'drift';
      readonly counts: Counts;
      readonly object: string;
      readonly field: string;
      readonly manager: string;
      readonly words: string;
      /** A GitOps tool has written Git's values back. Absent: somebody else changed the field. */
      readonly tool?: GitOpsTool;
    };

/** One group of flows that people are asked about. */
export interface Doubt {
  /** Stable, so that it can be accepted: direction, peer with its address or name, port, request. */
  readonly key: string;
  readonly words: string;
  readonly count: number;
  /** So many in one step are accepted together with it; more is asked again. Absent: any number. */
  readonly most?: number;
}

export interface Harmful {
  readonly kind: 'harmful';
  /**
   * Which judge spoke. `silence`: the canary no longer answers its share. `drops`: that of policies (and of canaries in earlier versions). `budget`: the failures that the people allowed are used up, which is their rule and no statistics. `earlier`: that of
   * an attempt which has undone everything and could not tell.
   */
  readonly judge: 'objective' | 'relative' | 'silence' | 'readiness' | 'drops' | 'budget' | 'earlier';
  readonly counts: Counts;
  /** Event time of the first failure of the run of events that decided (epoch ms). */
  readonly firstHarmAt: number;
  /** When the judge spoke (event time of the deciding event, epoch ms). */
  readonly decidedAt: number;
  /** Natural logarithm of the evidence against health, and of the level it had to reach. */
  readonly logEvidence: number;
  readonly logThreshold: number;
  /** One sentence with the numbers, for people. */
  readonly words: string;
  /** Nodes whose traffic was harmed, the most first; absent: it is not about nodes. */
  readonly harmed?: readonly string[];
}

/** Requests and failures seen on one side. */
export interface SideCounts {
  readonly requests: number;
  readonly failures: number;
  /** How many of these requests were our own; absent: none. */
  readonly synthetic?: number;
}

export interface Counts {
  readonly canary: SideCounts;
  readonly stable: SideCounts;
}

/** The two sides of what is counted. In what is stored they have the names of the first verb, for every verb: these are read instead. */
export const CHANGED = 'canary';
export const REST = 'stable';
export type Side = typeof CHANGED | typeof REST;

/** Both sides together; also of parts of a chart. */
export function sumOf(a: Counts, b: Counts): Counts {
  return { [CHANGED]: summed(a[CHANGED], b[CHANGED]), [REST]: summed(a[REST], b[REST]) };
}

function summed(a: SideCounts, b: SideCounts): SideCounts {
  const synthetic = (a.synthetic ?? 0) + (b.synthetic ?? 0);
  return { requests: a.requests + b.requests, failures: a.failures + b.failures, ...(synthetic > 0 && { synthetic }) };
}

export const NO_COUNTS: Counts = { canary: { requests: 0, failures: 0 }, stable: { requests: 0, failures: 0 } };
