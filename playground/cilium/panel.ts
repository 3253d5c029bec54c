/** The faults that a person or a scenario can cause, as typed functions. */
import type { Resolver } from './connections/resolver.ts';
import type { FaultBook } from './faults.ts';
import type { Agents } from './flows/agents.ts';
import type { LostSource, NodeState } from './flows/ring.ts';
import type { LoadThread } from './workloads/load-handle.ts';

/** `service` is a Service's `name` or `namespace/name`; a fault holds for every pod it selects, now and later. */
export interface Faults {
  /** Answers `rate` (0..1) of the requests with `status` (default 500). */
  errorRate(service: string, rate: number, status?: number): void;
  /** Answers `rate` (0..1) of the gRPC calls with HTTP 200 and this gRPC status (default 14, UNAVAILABLE) in the trailers. */
  grpcErrors(service: string, rate: number, status?: number): void;
  /** Adds milliseconds to every answer; 0 ends it. */
  latency(service: string, ms: number): void;
  /** Leaves `rate` (default all) of the requests without an answer. */
  hang(service: string, rate?: number): void;
  /** Resets the connection for `rate` (default all) of the requests. */
  reset(service: string, rate?: number): void;
  /** Its pods refuse connections, yet stay ready. */
  refuse(service: string): void;
  /** Its pods refuse connections and become not ready. */
  crash(service: string): void;
  /** Ends every fault of one Service, or of all. */
  mend(service?: string): void;
  /** The agent reports `count` lost events (default source: its queue). */
  lostEvents(node: string, count: number, source?: LostSource): void;
  /** `on`: the node's Observer is gone, streams to it end and flows there are lost. */
  nodeUnavailable(node: string, on: boolean): Promise<void>;
  /** Sends a node-status message on that node's streams. */
  nodeStatus(node: string, state: NodeState, message?: string): void;
  /** `true`: the cluster's DNS answers SERVFAIL to every lookup. */
  dnsFailures(on: boolean): void;
  /** Requests per second from now on. */
  load(requestsPerSecond: number): void;
  /** The node whose agent reports the Gateway's traffic. */
  readonly gatewayNode: string;
}

function rateOf(rate: number): number {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`A rate is between 0 and 1, not ${rate}. Nothing was changed.`);
  return rate;
}

/** What can be wrong with the answers of Services. */
export function serviceFaults(
  book: FaultBook,
): Pick<Faults, 'errorRate' | 'grpcErrors' | 'latency' | 'hang' | 'reset' | 'refuse' | 'crash' | 'mend'> {
  return {
    errorRate: (service, rate, status = 500) => book.change(service, { errorRate: rateOf(rate), status }),
    grpcErrors: (service, rate, status = 14) => book.change(service, { grpcRate: rateOf(rate), grpcStatus: status }),
    latency: (service, ms) => book.change(service, { latencyMs: Math.max(0, ms) }),
    hang: (service, rate = 1) => book.change(service, { hangRate: rateOf(rate) }),
    reset: (service, rate = 1) => book.change(service, { resetRate: rateOf(rate) }),
    refuse: (service) => book.change(service, { refused: true }),
    crash: (service) => book.change(service, { crashed: true }),
    mend: (service) => book.mend(service),
  };
}

/** The functions over the parts they act on. */
export function createFaults(parts: {
  readonly book: FaultBook;
  readonly agents: Agents;
  readonly traffic: LoadThread;
  readonly resolver: Resolver;
  readonly gatewayNode: string;
}): Faults {
  const { book, agents, traffic } = parts;
  return {
    ...serviceFaults(book),
    lostEvents: (node, count, source = 'OBSERVER_EVENTS_QUEUE') => agents.lose(node, count, source),
    nodeUnavailable: (node, on) => agents.setAvailable(node, !on),
    nodeStatus: (node, state, message = '') => agents.nodeStatus(node, state, [node], message),
    dnsFailures: (on) => parts.resolver.fail(on),
    load: (requestsPerSecond) => traffic.setRate(requestsPerSecond),
    gatewayNode: parts.gatewayNode,
  };
}
