import type { RequestEvidence } from '../../src/domain/evidence.ts';
import type { Flow } from '../clients/hubble/flow.ts';
import { millisecondsOf } from '../clients/hubble/flow.ts';
import type { Sides } from './sides.ts';

export interface RequestReader {
  /** The request that a flow reports, or undefined when it reports none of ours, or one that is counted already. */
  read(flow: Flow, node: string, seenAt: number): RequestEvidence | undefined;
}

const REMEMBERED = 20_000;

/**
 * Reads requests out of Hubble's HTTP records. In the record of a response Cilium swaps the ends, so the server is the source.
 * A pod with an L7 policy of its own reports a request a second time: the first reporter of a request id counts, and without
 * ids the gateway's record (EGRESS) does. A failure is a 5xx or an answer later than `latencyLimitMs`; without a status the
 * client has gone away before there was one, which is nobody's failure.
 */
export function createRequestReader(sides: Sides, latencyLimitMs: number): RequestReader {
  const reporters = new Map<string, string>();
  const byGateway = new Set<string>();
  const isSecond = (flow: Flow, node: string, server: string): boolean => {
    const direction = flow.traffic_direction ?? '';
    const id = requestIdOf(flow);
    if (id === undefined) {
      if (direction === 'EGRESS') byGateway.add(server);
      return direction === 'INGRESS' && byGateway.has(server);
    }
    // The same reporter with the same id: a client that tries again, which is a request of its own.
    const reporter = `${node} ${direction}`;
    const first = reporters.get(id);
    if (first !== undefined) return first !== reporter;
    reporters.set(id, reporter);
    if (reporters.size > REMEMBERED) reporters.delete(reporters.keys().next().value ?? '');
    return false;
  };
  return {
    read(flow, node, seenAt) {
      const { l7, source, IP, source_service } = flow;
      const code = l7?.http?.code ?? 0;
      if (l7?.type !== 'RESPONSE' || code === 0) return undefined;
      const pod = source?.pod_name ? `${source.namespace ?? ''}/${source.pod_name}` : undefined;
      const service = source_service?.name ? `${source_service.namespace ?? ''}/${source_service.name}` : undefined;
      const side = sides.of({ pod, address: IP?.source, service });
      if (!side || isSecond(flow, node, pod ?? IP?.source ?? '')) return undefined;
      const latencyMs = (l7.latency_ns ?? 0) / 1e6;
      const failure = code >= 500 ? String(code) : latencyMs > latencyLimitMs ? 'late' : undefined;
      const at = millisecondsOf(flow.time);
      const id = `${node}/${flow.uuid ?? at}`;
      return { kind: 'request', at, seenAt, side, failed: failure !== undefined, ...(failure && { failure }), latencyMs, id };
    },
  };
}

function requestIdOf({ l7 }: Flow): string | undefined {
  return l7?.http?.headers?.find(({ key }) => key?.toLowerCase() === 'x-request-id')?.value || undefined;
}
