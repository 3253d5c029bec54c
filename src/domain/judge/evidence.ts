import type { ProofEvidence } from '../encryption/evidence.ts';
import type { ConnectionEvidence } from '../policy/stages/connection.ts';
import type { Side } from './verdict.ts';

/** What the watch hears about live traffic, one event at a time. `at` is event time in epoch milliseconds; `seenAt` when we received it. */
export type Evidence =
  | RequestEvidence
  | AskedEvidence
  | DropEvidence
  | ConnectionEvidence
  | ProofEvidence
  | TroubleEvidence
  | { readonly kind: 'readiness'; readonly at: number; readonly service: string; readonly ready: number }
  /** How many pods of those that a policy reaches first are still there, once it is fewer. */
  | { readonly kind: 'cohort'; readonly at: number; readonly left: number; readonly of: number }
  /** All that is held of before the stage has been told, but for what these nodes had of it. */
  | { readonly kind: 'before'; readonly at: number; readonly unread: readonly { readonly node: string; readonly reason: string }[] }
  /**
   * Events were lost or a node's stream is down: from `at` on the picture is incomplete. `patienceMs`: nothing is lost by all that is known
   * and the rest comes later, so it blinds only so long after `at`.
   */
  | {
      readonly kind: 'gap';
      readonly at: number;
      readonly node: string;
      readonly reason: string;
      readonly lost?: number;
      readonly patienceMs?: number;
    }
  /** The gap has closed: the picture is complete again. */
  | { readonly kind: 'sight'; readonly at: number; readonly node: string }
  /** Somebody else changed a managed field. */
  | {
      readonly kind: 'drift';
      readonly at: number;
      readonly object: string;
      readonly field: string;
      readonly manager: string;
      readonly found: string;
    }
  /** Time has passed without an event. The judge has no clock of its own. */
  | { readonly kind: 'tick'; readonly at: number };

/** What an event adds to the counts that people see; undefined: nothing. */
export function countedIn(event: Evidence): { readonly side: Side; readonly failed: boolean } | undefined {
  if (event.kind === 'request') return { side: event.of ?? event.side, failed: event.failed };
  if (event.kind === 'connection') return { side: event.side, failed: event.outcome === 'dropped' && event.cause !== 'before' };
  return undefined;
}

/** What a judge can weigh: a record of the traffic. Anything else says nothing of it. */
export function isWeighed(event: Evidence): boolean {
  return 'seenAt' in event && event.kind !== 'asked';
}

/** One request answered (or not) by one side of the split. */
export interface RequestEvidence {
  readonly kind: 'request';
  readonly at: number;
  readonly seenAt: number;
  readonly side: 'canary' | 'stable';
  readonly failed: boolean;
  /** Why it counts as a failure: `500`, `reset`, `late`, `grpc UNAVAILABLE`. */
  readonly failure?: string;
  readonly latencyMs: number;
  /** Unique per request: (node, uuid), for deduplication after a reconnect. */
  readonly id: string;
  /**
   * Who asked, where one client can be told from another: a failure of the same client and path within 1 s of a failure is a retry and
   * counts once. Absent = cannot be told. Never a reserved identity: all traffic of a gateway carries `reserved:ingress`.
   */
  readonly client?: string;
  readonly path?: string;
  /** Whose it really was, where everybody is judged alike (after an undo): people are shown this side. */
  readonly of?: 'canary' | 'stable';
  /** Event time at which it began; absent: `latencyMs` before `at`. */
  readonly startedAt?: number;
  /** It may have begun so much before `startedAt` (ms). */
  readonly earlyMs?: number;
  /** It was told as open before. */
  readonly asked?: true;
  /** It did not come through the split, by a rule that the operation moves, or nobody can tell: it is compared with nothing. */
  readonly unsplit?: true;
  /** A pod served it that is younger than the warm-up: its failures are not compared. */
  readonly cold?: true;
  /** How long before `at` the oldest request began that is still open (ms), of either side; 0: none is. Absent: nobody can tell. */
  readonly openMs?: number;
  /** From which node to which it went, where that is what is judged. */
  readonly pair?: string;
  /** A request of our own (`--probe`); it counts like any other, and is told apart. */
  readonly synthetic?: true;
}

/** A request has reached a pod of the canary, and has no answer yet. */
export interface AskedEvidence {
  readonly kind: 'asked';
  readonly at: number;
  readonly seenAt: number;
}

/**
 * Packets between one source and one destination that never arrived, whatever their number: told once per (source, destination, port,
 * reason) and 10 s, since one denied connection is reported many times.
 */
export interface DropEvidence {
  readonly kind: 'drop';
  readonly at: number;
  readonly seenAt: number;
  /** The side whose pod the packets came from or went to. */
  readonly side: 'canary' | 'stable';
  /** `namespace/pod`, a reserved name such as `ingress` or `world`, or an address. */
  readonly source: string;
  readonly destination: string;
  /** Destination port; 0 where the protocol has none. */
  readonly port: number;
  /** Cilium's own word: `POLICY_DENIED`. */
  readonly reason: string;
  /** Unique per (source, destination, port, reason) and 10 s. */
  readonly id: string;
  /** Name of the end that is neither canary nor control: what hits both sides of one peer is one cause. Absent = cannot be told. */
  readonly peer?: string;
  /**
   * A connection on the requests' own way (gateway to pod, port of the Service) that can have no answer within the limit any more: a failed
   * request, told once for each connection. Any other drop is shown to people and judged by nobody.
   */
  readonly connection?: true;
  /** Event time at which that request had begun at the latest; absent: at `at`. */
  readonly startedAt?: number;
}

/**
 * A failure that cannot be told of either side: Envoy's own 503 for a pod that could not be connected to carries the gateway's address. No
 * evidence, since the same gateway serves others too; people are told.
 */
export interface TroubleEvidence {
  readonly kind: 'trouble';
  readonly at: number;
  readonly seenAt: number;
  /** `503 of the gateway, from no pod`. */
  readonly words: string;
}
