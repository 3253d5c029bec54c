/** Who may connect to whom: the seam where policies enter. A connection is decided before it is made, once at each end. */
import type { PolicyRef } from '../flows/flow.ts';
import type { PodFacts } from '../pod-book.ts';

/** One attempt of a pod to connect to another. */
export interface Connection {
  readonly source: PodFacts;
  readonly destination: PodFacts;
  readonly sourcePort: number;
  /** The port on the pod, after the Service was translated. */
  readonly port: number;
  readonly protocol: 'TCP';
}

/** Drop reasons with Cilium's numbers (flow.DropReason). */
export const dropReasons = { POLICY_DENIED: 133, POLICY_DENY: 181, AUTH_REQUIRED: 189, UNENCRYPTED_TRAFFIC: 195 } as const;
export type DropReason = keyof typeof dropReasons;

/** policy_match_type: what the deciding policy entry named (v1.20.2 pkg/monitor/api). */
export const matchTypes = { none: 0, l3Only: 1, l3l4: 2, l4Only: 3, all: 4 } as const;

/** What one end's policy says. */
export interface Side {
  readonly verdict: 'FORWARDED' | 'REDIRECTED' | 'AUDIT' | 'DROPPED';
  /** Only with DROPPED and AUDIT. */
  readonly reason?: DropReason;
  readonly match: number;
  readonly allowedBy: readonly PolicyRef[];
  /** Only for explicit deny rules: a default deny has no policy to blame. */
  readonly deniedBy: readonly PolicyRef[];
  readonly log: readonly string[];
}

export interface Decision {
  readonly egress: Side;
  readonly ingress: Side;
}

export type Decide = (connection: Connection) => Decision;

/** An end that no policy selects: Cilium's wildcard entry lets everything through and reports the match as `all`. */
export const unrestricted: Side = { verdict: 'FORWARDED', match: matchTypes.all, allowedBy: [], deniedBy: [], log: [] };

/** The mesh without policies. */
export const allowAll: Decide = () => ({ egress: unrestricted, ingress: unrestricted });
