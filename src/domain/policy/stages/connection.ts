import type { FlowGroup } from './group.ts';

/** One connection attempt (or request) of a pod that the policy selects, as the judge of drops hears it. */
export interface ConnectionEvidence {
  readonly kind: 'connection';
  /** Event time and time of arrival (epoch ms). */
  readonly at: number;
  readonly seenAt: number;
  /** `canary`: a pod that the newest phase is in force for. `stable`: the others. */
  readonly side: 'canary' | 'stable';
  /** `would-drop`: let through, and the candidate would not have done so. */
  readonly outcome: 'forwarded' | 'dropped' | 'would-drop';
  /** Whose doing it is that it is, or would be, dropped; absent for what is forwarded. */
  readonly cause?: Cause;
  readonly group: FlowGroup;
  /** Name of the pod under the policy. */
  readonly pod?: string;
  /** Why it was dropped, where that was no policy's doing. */
  readonly reason?: string;
  /** Address of a peer outside, or of one that the record does not know; empty for others. */
  readonly address: string;
  /** Of one from before the stage: how the stage decides its kind. Absent: as before. */
  readonly newly?: Newly;
  /** `backend/backend-7d9 → frontend/frontend-5c4, port 8080/TCP`, and the request where there is one. */
  readonly example: string;
}

/**
 * `candidate`: allowed before, denied now. `before`: what was in force before denies it as well. `unexplained`: both would allow it, so the
 * evaluator knows too little (a name behind an address), or something else drops it. `hidden`: others deny it, and only the shadow lets it through.
 */
export type Cause = 'candidate' | 'before' | 'unexplained' | 'hidden';

/**
 * What a stage makes of a kind of connection: `denied`: allowed until now. `enforced`: no default deny spoke about it until now.
 * `proxied`: its requests go through a proxy now.
 */
export type Newly = 'denied' | 'enforced' | 'proxied';
