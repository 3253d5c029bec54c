/** What the plain Envoy has seen, as Cilium's own tells its agent: cilium.LogEntry in protobuf's JSON. */
import type { Exchange } from '../../cilium/envoy/access-log.ts';

const INGRESS = 8;
const PROTOCOLS: Readonly<Record<string, string>> = { 'HTTP/1.0': 'HTTP10', 'HTTP/1.1': 'HTTP11', 'HTTP/2': 'HTTP2' };

/** Where the request went: a pod, or nobody (then the address that its client called). */
export interface Reached {
  readonly address: string;
  readonly identity: number;
}

/** One entry; `type` Request as soon as the pod is reached, Response when the exchange is over. */
export function logEntry(type: 'Request' | 'Response', exchange: Exchange, reached: Reached, source: string): object {
  const { method, url, protocol, requestId, userAgent, headers } = exchange;
  const { protocol: scheme, host, pathname, search } = new URL(url);
  const at = type === 'Request' ? exchange.startedAt : (exchange.respondedAt ?? exchange.endedAt);
  const all = { 'x-request-id': requestId, 'user-agent': userAgent, ...headers };
  return {
    timestamp: String(BigInt(Math.round(at * 1_000)) * 1_000n),
    entryType: type,
    policyName: source.slice(0, source.lastIndexOf(':')),
    sourceSecurityId: INGRESS,
    destinationSecurityId: reached.identity,
    sourceAddress: source,
    destinationAddress: reached.address,
    http: {
      httpProtocol: PROTOCOLS[protocol] ?? 'HTTP11',
      scheme: scheme.slice(0, -1),
      host,
      path: pathname + search,
      method,
      headers: Object.entries(all).flatMap(([key, value]) => (value ? [{ key, value }] : [])),
      ...(type === 'Response' ? { status: exchange.status } : {}),
    },
  };
}
