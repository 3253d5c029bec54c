/**
 * An Envoy exchange as the Hubble flows that the agent beside that Envoy reports. As in v1.20.2 (pkg/envoy/accesslog_server.go,
 * pkg/hubble/parser/seven): a record for the request and one for the response, whose ends are swapped; gateway listeners are not marked
 * `ingress`, so their direction is EGRESS; workloads only for endpoints of this node (cilium/cilium #48812).
 */
import type { Exchange } from '../envoy/access-log.ts';
import type { PodFacts } from '../pod-book.ts';
import { eventTypes, type Flow, type FlowEndpoint, type HttpRecord, reservedIdentities, saidBy, timestamp } from './flow.ts';

export interface ExchangeContext {
  /** Node of the Envoy that proxied: the only reporter of the exchange. */
  readonly node: string;
  /** The address that Envoy sends from; its identity is the reserved `ingress`. */
  readonly ingressAddress: string;
  /** Address and port that the client connected to, logged when no pod was reached. */
  readonly gateway: { readonly address: string; readonly port: number };
  /** The pod that was reached, if any. */
  readonly pod: PodFacts | undefined;
  /** The Gateway's own Service, known to the agent by that address. */
  readonly service: { readonly name: string; readonly namespace: string };
  readonly uuid: () => string;
}

const ingress: FlowEndpoint = { identity: reservedIdentities.ingress, labels: ['reserved:ingress'] };
const world: FlowEndpoint = { identity: reservedIdentities.world, labels: ['reserved:world'] };

/** A pod as the agent of `node` knows it: endpoint id and workload only for its own. */
export function endpointOf(pod: PodFacts, node: string): FlowEndpoint {
  return {
    identity: pod.identity,
    cluster_name: 'default',
    namespace: pod.namespace,
    labels: pod.labels,
    pod_name: pod.name,
    ...(pod.node === node ? { ID: pod.endpointId, workloads: [pod.workload] } : {}),
  };
}

/** Envoy's log gives these few of the headers that Cilium's filter would log. */
function headersOf(exchange: Exchange): HttpRecord['headers'] {
  return [
    { key: ':scheme', value: 'http' },
    ...(exchange.userAgent === '' ? [] : [{ key: 'User-Agent', value: exchange.userAgent }]),
    { key: 'X-Request-Id', value: exchange.requestId },
    ...Object.entries(exchange.headers).map(([key, value]) => ({ key, value })),
  ];
}

function httpOf(exchange: Exchange, code?: number): HttpRecord {
  return {
    ...(code === undefined ? {} : { code }),
    method: exchange.method,
    url: exchange.url,
    protocol: exchange.protocol,
    headers: headersOf(exchange),
  };
}

interface Ends {
  readonly source: FlowEndpoint;
  readonly destination: FlowEndpoint;
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
}

function ends(exchange: Exchange, context: ExchangeContext): Ends {
  const { pod } = context;
  return {
    source: ingress,
    destination: pod ? endpointOf(pod, context.node) : world,
    from: { address: context.ingressAddress, port: exchange.clientPort },
    to: pod ? { address: pod.ip, port: pod.containerPort } : context.gateway,
  };
}

function base(context: ExchangeContext, at: number) {
  return {
    time: timestamp(at),
    uuid: context.uuid(),
    ...saidBy(context.node),
    verdict: 'FORWARDED' as const,
    Type: 'L7' as const,
    event_type: { type: eventTypes.accessLog },
    traffic_direction: 'EGRESS' as const,
  };
}

/** The record of a request. */
export function requestFlow(exchange: Exchange, context: ExchangeContext): Flow {
  const { source, destination, from, to } = ends(exchange, context);
  return {
    ...base(context, exchange.startedAt),
    IP: { source: from.address, destination: to.address, ipVersion: 'IPv4' },
    l4: { TCP: { source_port: from.port, destination_port: to.port } },
    source,
    destination,
    ...(context.pod ? {} : { destination_service: context.service }),
    l7: { type: 'REQUEST', http: httpOf(exchange) },
    is_reply: { value: false },
    Summary: `${exchange.protocol} ${exchange.method} ${exchange.url}`,
  };
}

/** The record of a response: source and destination change places. */
export function responseFlow(exchange: Exchange, context: ExchangeContext): Flow {
  const { source, destination, from, to } = ends(exchange, context);
  const at = exchange.respondedAt ?? exchange.endedAt;
  const latency = Math.max(0, at - exchange.startedAt);
  return {
    ...base(context, at),
    IP: { source: to.address, destination: from.address, ipVersion: 'IPv4' },
    l4: { TCP: { source_port: to.port, destination_port: from.port } },
    source: destination,
    destination: source,
    ...(context.pod ? {} : { source_service: context.service }),
    l7: { type: 'RESPONSE', latency_ns: Math.round(latency * 1_000_000), http: httpOf(exchange, exchange.status) },
    is_reply: { value: true },
    reply: true,
    Summary: `${exchange.protocol} ${exchange.status} ${latency.toFixed(0)}ms (${exchange.method} ${exchange.url})`,
  };
}

/** The same record once more, as the agent of a pod with an L7 policy of its own reports it. */
export function secondReport(flow: Flow, pod: PodFacts, uuid: string): Flow {
  const own = endpointOf(pod, pod.node);
  const isAnswer = flow.l7?.type === 'RESPONSE';
  return {
    ...flow,
    uuid,
    ...saidBy(pod.node),
    traffic_direction: 'INGRESS',
    ...(isAnswer ? { source: own } : { destination: own }),
  };
}
