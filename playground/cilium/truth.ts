/**
 * What really happened, from the proxy and the API server's watch and from no judge: scenarios are measured against it.
 * All times are Unix milliseconds.
 */
export interface TrueRequest {
  /** When the response left the proxy, or the request ended without one. */
  readonly at: number;
  readonly startedAt: number;
  /** `namespace/name` of the Service chosen by the route; empty when no route matched. */
  readonly service: string;
  /** The pod that answered, `namespace/name`; empty when none was reached. */
  readonly backend: string;
  /** HTTP status; 0 = no response. */
  readonly status: number;
  readonly latencyMs: number;
  /** gRPC's own status, where the answer had one. */
  readonly grpcStatus?: number;
  /** False for 5xx, for failures of a gRPC server, and for requests that never got a response. */
  readonly ok: boolean;
}

export interface TrueWeights {
  /** `namespace/name` of the HTTPRoute or GRPCRoute. */
  readonly route: string;
  readonly generation: number;
  /** When the watch brought it. */
  readonly seenAt: number;
  /** When Envoy had it in force; undefined until then, or when a later write overtook it. */
  readonly inForceAt?: number;
  /** For each rule, `namespace/service` to weight. */
  readonly weights: readonly Readonly<Record<string, number>>[];
}

export interface RequestCounts {
  readonly total: number;
  readonly failed: number;
}

export interface Truth {
  /** The latest requests, oldest first (at most `requestsKept`). */
  readonly requests: readonly TrueRequest[];
  /** Calls back for each request from now on; the return value ends it. */
  onRequest(listener: (request: TrueRequest) => void): () => void;
  /** When the first failed request to a Service at or after `since` ended. */
  firstHarm(since: number, service: string): number | undefined;
  /** Requests to a Service (all when left out) that ended at or after `since` and before `until`. */
  counts(since: number, until: number, service?: string): RequestCounts;
  /** Since the start, by Service; exact also when the ring has forgotten. */
  totals(): Readonly<Record<string, RequestCounts>>;
  /** Every change of weights, oldest first. */
  readonly weights: readonly TrueWeights[];
  onWeights(listener: (weights: TrueWeights) => void): () => void;
}

export interface TruthWriter {
  readonly truth: Truth;
  request(request: TrueRequest): void;
  routeSeen(route: string, generation: number, at: number, weights: TrueWeights['weights']): void;
  routeInForce(route: string, generation: number, at: number): void;
}

export const requestsKept = 100_000;
const weightsKept = 10_000;

function matches(request: TrueRequest, service: string | undefined): boolean {
  return service === undefined || request.service === service || request.service.endsWith(`/${service}`);
}

/** An empty record. */
export function createTruth(): TruthWriter {
  let requests: TrueRequest[] = [];
  const weights: TrueWeights[] = [];
  const totals = new Map<string, { total: number; failed: number }>();
  const requestListeners = new Set<(request: TrueRequest) => void>();
  const weightListeners = new Set<(weights: TrueWeights) => void>();

  const truth: Truth = {
    get requests() {
      return requests;
    },
    onRequest: (listener) => {
      requestListeners.add(listener);
      return () => requestListeners.delete(listener);
    },
    firstHarm: (since, service) => requests.find((each) => each.at >= since && !each.ok && matches(each, service))?.at,
    counts: (since, until, service) => {
      const within = requests.filter((each) => each.at >= since && each.at < until && matches(each, service));
      return { total: within.length, failed: within.filter((each) => !each.ok).length };
    },
    totals: () => Object.fromEntries([...totals].map(([service, counts]) => [service, { ...counts }])),
    weights,
    onWeights: (listener) => {
      weightListeners.add(listener);
      return () => weightListeners.delete(listener);
    },
  };

  return {
    truth,
    request: (request) => {
      requests.push(request);
      // Halved at twice the size: an array shift for each request would cost more than the rest of this file.
      if (requests.length >= requestsKept * 2) requests = requests.slice(-requestsKept);
      const counts = totals.get(request.service) ?? { total: 0, failed: 0 };
      counts.total += 1;
      if (!request.ok) counts.failed += 1;
      totals.set(request.service, counts);
      for (const listener of requestListeners) listener(request);
    },
    routeSeen: (route, generation, seenAt, seen) => {
      const last = weights.findLast((each) => each.route === route);
      if (last && JSON.stringify(last.weights) === JSON.stringify(seen)) return;
      const entry: TrueWeights = { route, generation, seenAt, weights: seen };
      weights.push(entry);
      if (weights.length > weightsKept) weights.shift();
      for (const listener of weightListeners) listener(entry);
    },
    routeInForce: (route, generation, at) => {
      const index = weights.findLastIndex((each) => each.route === route && each.generation <= generation);
      const entry = weights[index];
      if (!entry || entry.inForceAt !== undefined) return;
      const done = { ...entry, inForceAt: at };
      weights[index] = done;
      for (const listener of weightListeners) listener(done);
    },
  };
}
