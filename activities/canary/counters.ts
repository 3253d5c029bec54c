import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestEvidence } from '../../src/domain/evidence.ts';
import { createCounters, type Increase } from '../clients/prometheus/counters.ts';
import type { Prometheus } from '../clients/prometheus/prometheus.ts';
import type { Log } from '../log.ts';
import type { Hear } from '../watch/watching.ts';
import type { Side } from './sides.ts';

/**
 * What Hubble's flows cannot show of a gateway's requests, out of Envoy's counters in Prometheus. Each of these counts requests, and
 * none of them a request that flows attribute to a pod (facts 8b), so nothing is counted twice:
 * - `upstream_rq_pending_failure_eject`: no connection to a pod could be made; Hubble logs the 503 with the gateway's address.
 * - `upstream_cx_none_healthy`: the Service had no endpoint; the same.
 * - `grpc_<status>`, only where gRPC is routed: an error is HTTP 200 in Hubble, so there every answer is counted here, and not there.
 */
const UNREACHED: Readonly<Record<string, string>> = {
  envoy_cluster_upstream_rq_pending_failure_eject: 'connect failure',
  envoy_cluster_upstream_cx_none_healthy: 'no endpoint',
};
const GRPC = /^envoy_cluster_grpc_(\d+)$/;
/** gRPC's own numbers of UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS (design 8). */
const GRPC_FAILURES: Readonly<Record<string, string>> = {
  2: 'grpc UNKNOWN',
  4: 'grpc DEADLINE_EXCEEDED',
  13: 'grpc INTERNAL',
  14: 'grpc UNAVAILABLE',
  15: 'grpc DATA_LOSS',
};

const POLL_MS = 500;
/** More than this of one look is told as this: the judge has long decided. */
const MOST = 500;

export interface CountersDeps {
  readonly prometheus: Prometheus;
  readonly now: () => number;
  readonly log: Log;
}

export interface CountedServices {
  readonly namespace: string;
  /** Names of Services and whose they are. */
  readonly services: readonly (readonly [string, Side])[];
  readonly grpc: boolean;
}

/**
 * Looks until the signal aborts. Without gRPC its loss blinds nobody, since requests that reach a pod are seen in flows; it is logged.
 * With gRPC the errors are seen nowhere else, so it is told as a gap.
 */
export async function followCounters(deps: CountersDeps, counted: CountedServices, hear: Hear, signal: AbortSignal): Promise<void> {
  const counters = createCounters();
  const query = queryOf(counted);
  const node = 'Prometheus';
  let away = false;
  while (!signal.aborted) {
    try {
      const samples = await deps.prometheus.instant(query, { signal });
      const seenAt = deps.now();
      if (away && counted.grpc) hear({ kind: 'sight', at: seenAt, node });
      away = false;
      for (const increase of counters.look(samples)) for (const event of eventsOf(increase, counted, seenAt)) hear(event);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (!away) deps.log.warn({ err: error }, "Envoy's counters cannot be read: requests that reach no pod are not seen");
      if (!away && counted.grpc) hear({ kind: 'gap', at: deps.now(), node, reason });
      away = true;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Cilium names a cluster `<namespace>/<CiliumEnvoyConfig>/<ns>:<service>:<port>`; in Envoy's statistics `:` becomes `_`. */
function queryOf({ namespace, services, grpc }: CountedServices): string {
  const names = [...Object.keys(UNREACHED), ...(grpc ? ['envoy_cluster_grpc_[0-9]+'] : [])];
  const clusters = services.map(([name]) => `${namespace}_${name}`).join('|');
  return `{__name__=~"${names.join('|')}",envoy_cluster_name=~".+/(${clusters})_[0-9]+"}`;
}

function eventsOf(
  { labels, at, by, value }: Increase,
  { namespace, services }: CountedServices,
  seenAt: number,
): readonly RequestEvidence[] {
  const name = labels['__name__'] ?? '';
  const status = GRPC.exec(name)?.[1];
  const cluster = labels['envoy_cluster_name'] ?? '';
  const service = cluster.slice(cluster.lastIndexOf('/') + 1).replace(/_\d+$/, '');
  const side = services.find(([each]) => `${namespace}_${each}` === service)?.[1];
  if (!side) return [];
  const failure = status === undefined ? UNREACHED[name] : GRPC_FAILURES[status];
  const source = `${labels['instance'] ?? ''}/${cluster}/${name}`;
  return Array.from({ length: Math.min(by, MOST) }, (_, nth) => ({
    kind: 'request',
    at,
    seenAt,
    side,
    failed: failure !== undefined,
    ...(failure && { failure }),
    latencyMs: 0,
    id: `${source}/${value - nth}`,
  }));
}
