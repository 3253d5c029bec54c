import type { Log } from '../../log.ts';
import type { Flow } from './flow.ts';
import type { Observer } from './observer.ts';
import type { OwnDelay } from './own-delay.ts';

/** What one stream tells. `node` is the reporting node's name (Relay's stream speaks for many). */
export interface StreamListener {
  flow(flow: Flow, node: string, seenAt: number): void;
  /** `patienceMs`: nothing is lost by all that is known and the rest comes later, so it blinds only so long after `at`. */
  gap(node: string, at: number, reason: string, lost?: number, patienceMs?: number): void;
  sight(node: string, at: number): void;
}

export interface NodeStreamDeps {
  readonly node: string;
  readonly observer: Observer;
  readonly listener: StreamListener;
  readonly now: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** As `FlowsRequest.whitelist`. */
  readonly whitelist?: readonly object[] | undefined;
  /** Left out: this process is never late itself. */
  readonly ownDelay?: Pick<OwnDelay, 'within'> | undefined;
}

/** Name of the stream that speaks for all nodes, when flows come through Hubble Relay. */
export const RELAY = 'relay';

/** What a watch hears. Called synchronously, in the order of arrival. */
export interface FlowFollower extends StreamListener {
  /** Connections that no policy speaks of as well: of those there are traces alone. Live their beginnings, out of the rings all of their way there. */
  readonly traces?: boolean;
  /** How those connections go on: answers and ends. */
  readonly answers?: boolean;
  /** Out of the rings only: a node holds nothing of before `at`, and so many records since then. Left out: nobody asks it. */
  reached?(node: string, at: number, records: number): void;
}
