import type { Flow } from '../../src/clients/hubble/flow.ts';
import type { Traffic } from '../../src/domain/encryption/proof.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';

/** Makes evidence of what agents tell of connections between nodes. */
export interface TrafficReader {
  /** What a flow says; undefined where it is about no connection between nodes, or nothing is known yet. */
  read(flow: Flow, node: string, seenAt: number): RequestEvidence | undefined;
  /** Connections of before the stage: which kinds come to their end. */
  learn(flow: Flow, node: string): void;
  /** All of that has been read: what has not ended by then has not. */
  learned(): void;
  overdue(now: number): readonly RequestEvidence[];
  lost(node: string): void;
  seen(node: string): void;
  /** Between each two nodes, since `from`. */
  readonly traffic: ReadonlyMap<string, Traffic>;
  /** Lost as expected. */
  readonly expected: number;
}

export interface TrafficOptions {
  /** The node of a pod's address; undefined for what is none. `identity`: whose address Cilium says it is. */
  readonly nodeOf: (address: string, identity?: number) => string | undefined;
  readonly isChanged: (node: string) => boolean;
  /** A connection that begins then and is lost is the cost that the plan names. */
  readonly isExpected: (node: string, at: number) => boolean;
  /** What began before counts for nobody (epoch ms). */
  readonly from: number;
  /** An earlier attempt of the same watch has told what there was to tell up to then (epoch ms). */
  readonly heardTo?: number | undefined;
  /** Did both nodes do for certain then what they were told? Earlier connections are judged, and are no part of `traffic`. */
  readonly proves: (from: string, to: string, at: number) => boolean;
}
