import type { Endpoint, Flow } from '../../src/clients/hubble/flow.ts';

/** Which of several reports of one request counts. */
interface Reporters {
  /** True when this record is of a request that somebody else reports, or has reported. `server`: the pod or address that answers. */
  isSecond(flow: Flow, node: string, server: string): boolean;
}

/** Ids are remembered this long (ms of event time): two reports of one request are milliseconds apart. */
const REMEMBERED_MS = 10_000;
const MOST = 20_000;
const INGRESS_IDENTITY = 8;

/**
 * A pod with an L7 policy of its own reports each request a second time (facts: the client's side, EGRESS, and the server's, INGRESS).
 * The client's side is preferred, since it is what people get: where a gateway reports for a server, the server's own records of
 * traffic from gateways are never counted. Other traffic is told apart by its request id: who reports it first counts.
 */
export function createReporters(): Reporters {
  const first = new Map<string, { readonly reporter: string; readonly at: number }>();
  const byClients = new Set<string>();
  const forget = (now: number): void => {
    for (const [id, { at }] of first) {
      if (first.size <= MOST && now - at < REMEMBERED_MS) break;
      first.delete(id);
    }
  };
  return {
    isSecond(flow, node, server) {
      const direction = flow.traffic_direction ?? '';
      const id = requestIdOf(flow);
      if (direction === 'EGRESS') byClients.add(server);
      else if (byClients.has(server) && (id === undefined || isFromGateway(flow))) return true;
      if (id === undefined) return false;
      // The same reporter with the same id: a client that tries again, which is a request of its own.
      const reporter = `${node} ${direction}`;
      const known = first.get(id);
      if (known) return known.reporter !== reporter;
      const at = Number(flow.time?.seconds ?? 0) * 1_000;
      first.set(id, { reporter, at });
      forget(at);
      return false;
    },
  };
}

/** Envoy gives each request an id; Cilium logs it unless headers are redacted. */
export function requestIdOf(flow: Flow): string | undefined {
  return headerOf(flow, 'x-request-id');
}

/** Value of a request's header in an L7 record; `name` in lower case. */
export function headerOf({ l7 }: Flow, name: string): string | undefined {
  return l7?.http?.headers?.find(({ key }) => key?.toLowerCase() === name)?.value || undefined;
}

export function isFromGateway({ source, destination, is_reply, l7 }: Flow): boolean {
  const client = is_reply?.value === true || l7?.type === 'RESPONSE' ? destination : source;
  return isGateway(client);
}

/** Cilium's Envoy, for Gateways and for Services of the mesh alike (cilium/cilium #37335). */
export function isGateway(end: Endpoint | undefined): boolean {
  return end?.identity === INGRESS_IDENTITY || (end?.labels ?? []).includes('reserved:ingress');
}
