/**
 * What a node's proxy reports of requests (event type 129): a record for the request, DROPPED where the rules refuse it, and one for the response,
 * whose ends are swapped; a refused request is answered 403 by the proxy itself (v1.20.2 pkg/hubble/parser/seven).
 */
import { type DnsRecord, eventTypes, type Flow, type HttpRecord } from '../flows/flow.ts';
import type { SeenRequest } from '../workloads/gateway-door.ts';
import type { Connection, Decision, Side } from './decision.ts';
import { connectionBase, type Reported, type Stamp } from './packet.ts';

/** What became of an HTTP request; milliseconds. */
export interface HttpAnswer {
  readonly status: number;
  readonly latencyMs: number;
}

export interface DnsAnswer {
  readonly ips: readonly string[];
  readonly ttl: number;
  /** 0 = no error, 3 = no such name. */
  readonly rcode: number;
}

interface Proxy {
  readonly node: string;
  readonly direction: 'EGRESS' | 'INGRESS';
  readonly permits: boolean;
}

/** The proxies of this kind that the connection goes through, the source's first; behind one that refuses there is none. */
export function proxiesOf({ source, destination }: Connection, { egress, ingress }: Decision, kind: 'http' | 'dns'): readonly Proxy[] {
  const at = (side: Side | undefined, node: string, direction: Proxy['direction']): readonly Proxy[] =>
    side?.proxy?.kind === kind ? [{ node, direction, permits: side.proxy.permits }] : [];
  const outward = at(egress, source.node, 'EGRESS');
  return outward.some(({ permits }) => !permits) ? outward : [...outward, ...at(ingress, destination.node, 'INGRESS')];
}

function record(connection: Connection, { node, direction }: Proxy, stamp: Stamp, isReply: boolean) {
  const { Summary: _, ethernet: __, ...base } = connectionBase(connection, node, stamp);
  return {
    ...base,
    ...(isReply
      ? {
          source: base.destination,
          destination: base.source,
          IP: { ...base.IP, source: base.IP.destination, destination: base.IP.source },
          l4: swapped(base.l4),
        }
      : {}),
    Type: 'L7' as const,
    event_type: { type: eventTypes.accessLog },
    traffic_direction: direction,
    is_reply: { value: isReply },
    ...(isReply && { reply: true }),
  };
}

function swapped({ TCP, UDP }: Flow['l4']): Flow['l4'] {
  const turn = (ports: { readonly source_port: number; readonly destination_port: number }) => ({
    source_port: ports.destination_port,
    destination_port: ports.source_port,
  });
  return { ...(TCP ? { TCP: turn(TCP) } : {}), ...(UDP ? { UDP: turn(UDP) } : {}) };
}

function httpOf(request: SeenRequest): HttpRecord {
  return {
    method: request.method,
    url: `http://${request.host}${request.path}`,
    protocol: 'HTTP/1.1',
    headers: Object.entries(request.headers).map(([key, value]) => ({ key, value })),
  };
}

/** The records of one request at every proxy on its way; `answer` is undefined while there is none. */
export function httpFlows(
  connection: Connection,
  decision: Decision,
  request: SeenRequest,
  answer: HttpAnswer | undefined,
  stamp: Stamp,
): readonly Reported[] {
  return proxiesOf(connection, decision, 'http').flatMap((proxy) => {
    const { node, permits } = proxy;
    const { status, latencyMs } = permits ? (answer ?? { status: 0, latencyMs: 0 }) : { status: 403, latencyMs: 0 };
    const http = httpOf(request);
    const asked: Flow = {
      ...record(connection, proxy, { ...stamp, at: stamp.at - latencyMs }, false),
      verdict: permits ? 'FORWARDED' : 'DROPPED',
      l7: { type: 'REQUEST', http },
      Summary: `HTTP/1.1 ${request.method} ${http.url}`,
    };
    if (status === 0) return [{ node, flow: asked }];
    const answered: Flow = {
      ...record(connection, proxy, stamp, true),
      verdict: 'FORWARDED',
      l7: { type: 'RESPONSE', latency_ns: Math.round(latencyMs * 1_000_000), http: { ...http, code: status } },
      Summary: `HTTP/1.1 ${status} ${latencyMs.toFixed(0)}ms (${request.method} ${http.url})`,
    };
    return [
      { node, flow: asked },
      { node, flow: answered },
    ];
  });
}

/** What the proxy writes of an answer without addresses. */
const EMPTY_TTL = 4_294_967_295;

/** The records of one lookup at a node's DNS proxy. A refused query is answered REFUSED, and no record tells of that. */
export function dnsFlows(
  connection: Connection,
  proxies: readonly Proxy[],
  query: string,
  answer: DnsAnswer,
  stamp: Stamp,
): readonly Reported[] {
  return proxies.flatMap((proxy) => {
    const { node, permits } = proxy;
    const dns: DnsRecord = { query: `${query}.`, observation_source: 'proxy', qtypes: ['A'] };
    const { ips, ttl, rcode } = answer;
    const asked: Flow = {
      ...record(connection, proxy, stamp, false),
      verdict: permits ? 'FORWARDED' : 'DROPPED',
      l7: { type: 'REQUEST', dns },
      Summary: `DNS Query ${query}. A`,
    };
    if (!permits) return [{ node, flow: asked }];
    const answered: Flow = {
      ...record(connection, proxy, stamp, true),
      verdict: 'FORWARDED',
      l7: { type: 'RESPONSE', dns: { ...dns, ips, ttl: ips.length > 0 ? ttl : EMPTY_TTL, rcode, rrtypes: ips.length > 0 ? ['A'] : [] } },
      Summary: `DNS Answer ${ips.length > 0 ? `"${ips.join(',')}"` : `RCode: ${rcode}`} TTL: ${ttl} (Proxy ${query}. A)`,
    };
    return [
      { node, flow: asked },
      { node, flow: answered },
    ];
  });
}
