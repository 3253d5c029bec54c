/** An agent's Prometheus metrics under Cilium's and Hubble's names (v1.20.2 Documentation/observability/metrics.rst), one registry per node. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { eventTypes, type Flow } from './flows/flow.ts';
import type { LostSource } from './flows/ring.ts';

export interface AgentMetrics {
  flow(flow: Flow): void;
  lost(source: LostSource, count: number): void;
  endpoints(count: number): void;
  text(): Promise<string>;
}

const httpContext = ['source_namespace', 'source_workload', 'destination_namespace', 'destination_workload', 'traffic_direction'] as const;

function contextOf(flow: Flow) {
  return {
    source_namespace: flow.source.namespace ?? '',
    source_workload: flow.source.workloads?.[0]?.name ?? '',
    destination_namespace: flow.destination.namespace ?? '',
    destination_workload: flow.destination.workloads?.[0]?.name ?? '',
    traffic_direction: flow.traffic_direction.toLowerCase(),
  };
}

/** Hubble turns a response's ends round again, so that labels always read from client to server. */
function clientToServer(flow: Flow): Flow {
  return flow.is_reply?.value === true ? { ...flow, source: flow.destination, destination: flow.source } : flow;
}

function protocolOf(flow: Flow): string {
  if (flow.l7) return flow.l7.dns ? 'DNS' : 'HTTP';
  return flow.l4.UDP ? 'UDP' : 'TCP';
}

function subtypeOf(flow: Flow): string {
  if (flow.event_type.type === eventTypes.trace) return flow.trace_observation_point === 'TO_NETWORK' ? 'to-network' : 'to-endpoint';
  return flow.l7 ? protocolOf(flow) : '';
}

const typeNames: Readonly<Record<number, string>> = {
  [eventTypes.drop]: 'Drop',
  [eventTypes.trace]: 'Trace',
  [eventTypes.policyVerdict]: 'PolicyVerdict',
  [eventTypes.accessLog]: 'L7',
};

const matchNames = ['none', 'l3-only', 'l3-l4', 'l4-only', 'all', 'l3-proto', 'proto-only'];

function families(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    processed: counter('hubble_flows_processed_total', 'Total number of flows processed', ['protocol', 'subtype', 'type', 'verdict']),
    requests: counter('hubble_http_requests_total', 'Count of HTTP requests by methods', [
      'method',
      'protocol',
      'status',
      'reporter',
      ...httpContext,
    ]),
    drops: counter('hubble_drop_total', 'Number of drops', ['reason', 'protocol']),
    verdicts: counter('hubble_policy_verdicts_total', 'Total number of policy verdict events', ['direction', 'match', 'action']),
    lost: counter('hubble_lost_events_total', 'Number of lost events', ['source']),
    dropCount: counter('cilium_drop_count_total', 'Total dropped packets', ['reason', 'direction']),
    forwardCount: counter('cilium_forward_count_total', 'Total forwarded packets', ['direction']),
    duration: new Histogram({
      name: 'hubble_http_request_duration_seconds',
      help: 'Quantiles of HTTP request duration in seconds',
      labelNames: ['method', 'reporter', ...httpContext],
      registers: [registry],
    }),
    endpoint: new Gauge({ name: 'cilium_endpoint', help: 'Number of endpoints managed by this agent', registers: [registry] }),
  };
}

function reasonText(reason: string): string {
  return (
    { POLICY_DENIED: 'Policy denied', POLICY_DENY: 'Policy denied by denylist', UNENCRYPTED_TRAFFIC: 'Traffic is unencrypted' }[reason] ??
    reason
  );
}

function countHttp(flow: Flow, families_: ReturnType<typeof families>): void {
  const http = flow.l7?.http;
  if (!http || flow.l7?.type !== 'RESPONSE') return;
  const context = contextOf(clientToServer(flow));
  const reporter = flow.traffic_direction === 'INGRESS' ? 'server' : 'client';
  families_.requests.inc({ method: http.method, protocol: http.protocol, status: String(http.code ?? 0), reporter, ...context });
  families_.duration.observe({ method: http.method, reporter, ...context }, (flow.l7.latency_ns ?? 0) / 1e9);
}

/** Empty metrics of one agent. */
export function createAgentMetrics(): AgentMetrics {
  const registry = new Registry();
  const all = families(registry);
  // Series that must exist before their first event, so that rules over them can tell zero from absent.
  for (const source of ['perf_event_ring_buffer', 'observer_events_queue', 'hubble_ring_buffer']) all.lost.inc({ source }, 0);
  return {
    flow: (flow) => {
      const direction = flow.traffic_direction.toLowerCase();
      const type = typeNames[flow.event_type.type] ?? 'Unknown';
      const protocol = protocolOf(flow);
      all.processed.inc({ protocol, subtype: subtypeOf(flow), type, verdict: flow.verdict });
      countHttp(flow, all);
      if (flow.event_type.type === eventTypes.policyVerdict) {
        const action = flow.verdict.toLowerCase();
        all.verdicts.inc({ direction, match: matchNames[flow.policy_match_type ?? 0] ?? 'none', action });
      }
      if (flow.event_type.type === eventTypes.drop) {
        const reason = flow.drop_reason_desc ?? 'DROP_REASON_UNKNOWN';
        all.drops.inc({ reason, protocol });
        all.dropCount.inc({ reason: reasonText(reason), direction });
      }
      if (flow.event_type.type === eventTypes.trace) all.forwardCount.inc({ direction });
    },
    lost: (source, count) => all.lost.inc({ source: source.toLowerCase() }, count),
    endpoints: (count) => all.endpoint.set(count),
    text: () => registry.metrics(),
  };
}

/** Serves `/metrics` on a free loopback port. */
export async function serveMetrics(metrics: AgentMetrics): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
