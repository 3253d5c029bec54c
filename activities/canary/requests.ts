import type { Flow } from '../../src/clients/hubble/flow.ts';
import { millisecondsOf } from '../../src/clients/hubble/flow.ts';
import type { Split } from '../../src/domain/canary/split.ts';
import type { AskedEvidence, RequestEvidence, TroubleEvidence } from '../../src/domain/judge/evidence.ts';
import { createUnanswered } from '../watch/unanswered.ts';
import { askedOf } from './asked.ts';
import type { About, OpenRequest } from './open-request.ts';
import { createReporters, headerOf, isFromGateway, requestIdOf } from './reporters.ts';
import type { Side, Sides } from './sides.ts';

export interface RequestReader {
  /**
   * The request that a flow reports, or undefined when it reports none of ours, or one that is counted already. Trouble: a failure that
   * reached no pod, so that nobody knows whose it was. Asked: a request has reached a pod of the canary.
   */
  read(flow: Flow, node: string, seenAt: number): RequestEvidence | AskedEvidence | TroubleEvidence | undefined;
  /** Requests that have had no answer within the limit by `now` (epoch ms). Each is told once. */
  overdue(now: number): readonly RequestEvidence[];
  /** Records of this node are missing or late: what waits for an answer there is not judged, until `seen`. */
  lost(node: string): void;
  /** 5xx that were attributed to a side so far. */
  shown(side: Side): number;
  /** Requests of the canary, told as asked, that had been answered by `until` (epoch ms) and whose answers are left to Envoy's counters. */
  left(until: number): number;
  seen(node: string): void;
}

/** Header of our own requests, which are nobody's traffic: `<operation>/<id>` where a watch counts them. */
export const PROBE_HEADER = 'x-meshops-probe';

interface ReaderOptions {
  readonly sides: Sides;
  readonly latencyLimitMs: number;
  /** gRPC errors are HTTP 200 in Hubble: answers of HTTP/2 are left to Envoy's grpc counters, unless they are late. */
  readonly grpc?: boolean;
  /** Which requests came through the split; left out: nobody can tell, so none is compared. */
  readonly split?: Split;
  /** True when a request without an answer was told before, as a dropped connection. */
  readonly isTold?: (side: Side, now: number) => boolean;
  /** The operation whose own probes count; those of others never do. Left out: none. */
  readonly probesOf?: string;
}

/**
 * Reads requests out of Hubble's HTTP records. In the record of a response Cilium swaps the ends, so the server is the source.
 * A failure is a 5xx, an answer later than the limit, or none within it; without a status the client has gone away before there
 * was one, which is nobody's failure.
 */
export function createRequestReader({ sides, latencyLimitMs, grpc = false, probesOf, split, isTold }: ReaderOptions): RequestReader {
  const reporters = createReporters();
  const unanswered = createUnanswered<OpenRequest>(latencyLimitMs);
  const shown: Record<Side, number> = { canary: 0, stable: 0 };
  const left = createLeft();
  const aboutOf = (flow: Flow, server: string): About => ({
    ...(isProbe(flow) && { synthetic: true }),
    ...(!(isFromGateway(flow) && split?.isMoved(askedOf(flow))) && { unsplit: true }),
    ...(sides.isCold(server, millisecondsOf(flow.time)) && { cold: true }),
  });
  const openSince = (at: number): number => Math.max(0, at - (unanswered.oldest() ?? at));
  const answer = (flow: Flow, node: string, seenAt: number): RequestEvidence | TroubleEvidence | undefined => {
    const code = flow.l7?.http?.code ?? 0;
    const known = code === 0 ? undefined : sideOf(sides, flow);
    if (!known && code >= 500 && !flow.source?.pod_name && !isClient(sides, flow)) return troubleOf(flow, code, seenAt);
    if (!known || reporters.isSecond(flow, node, known.server)) return undefined;
    if (code >= 500) shown[known.side] += 1;
    const id = requestIdOf(flow);
    const asked = id === undefined ? undefined : unanswered.answered(keyOf(flow, node, id), millisecondsOf(flow.time));
    if (asked === 'told') return undefined;
    const latencyMs = (flow.l7?.latency_ns ?? 0) / 1e6;
    // Its status is left to Envoy's counters; that it came late is seen only here.
    const at = millisecondsOf(flow.time);
    if (grpc && code === 200 && flow.l7?.http?.protocol === 'HTTP/2' && latencyMs <= latencyLimitMs) {
      if (asked && known.side === 'canary') left.add(at);
      return undefined;
    }
    const failure = code >= 500 ? String(code) : latencyMs > latencyLimitMs ? 'late' : undefined;
    return {
      kind: 'request',
      at,
      seenAt,
      side: known.side,
      failed: failure !== undefined,
      ...(failure && { failure }),
      ...(asked?.about ?? aboutOf(flow, known.server)),
      ...(asked && { startedAt: asked.at, ...(known.side === 'canary' && { asked: true }) }),
      ...(id !== undefined && { openMs: openSince(at) }),
      latencyMs,
      id: `${node}/${flow.uuid ?? at}`,
      // Proxies and tracing clients keep the id when they try again; the pod that asks says nothing, since it asks for many people.
      ...(failure && id !== undefined && { client: id, path: flow.l7?.http?.url ?? '' }),
    };
  };
  const ask = (flow: Flow, node: string, seenAt: number): AskedEvidence | undefined => {
    const known = sideOf(sides, flow);
    const id = requestIdOf(flow);
    // Without an id the answer could not be told from that of another request.
    if (!known || id === undefined || reporters.isSecond(flow, node, known.server)) return undefined;
    const at = millisecondsOf(flow.time);
    const about = aboutOf(flow, known.server);
    const isNew = unanswered.asked({ key: keyOf(flow, node, id), node, at, side: known.side, id: `${node}/${flow.uuid ?? at}`, about });
    return isNew && known.side === 'canary' ? { kind: 'asked', at, seenAt } : undefined;
  };
  return {
    read(flow, node, seenAt) {
      const { l7 } = flow;
      if (!l7) return undefined;
      unanswered.reached(node, millisecondsOf(flow.time));
      const probe = headerOf(flow, PROBE_HEADER);
      if (probe !== undefined && (probesOf === undefined || !probe.startsWith(`${probesOf}/`))) return undefined;
      if (l7.type === 'RESPONSE') return answer(flow, node, seenAt);
      return l7.type === 'REQUEST' && flow.verdict !== 'DROPPED' ? ask(flow, node, seenAt) : undefined;
    },
    overdue: (now) =>
      unanswered.overdue(now).flatMap(({ at, side, id, about }) => {
        if (isTold?.(side, now)) return [];
        const due = at + latencyLimitMs;
        const open = { openMs: openSince(due), startedAt: at, ...(side === 'canary' && { asked: true as const }) };
        const failed = { failed: true, failure: 'no response', latencyMs: latencyLimitMs, id: `${id}/overdue` } as const;
        return { kind: 'request', at: due, seenAt: now, side, ...about, ...open, ...failed };
      }),
    lost: (node) => unanswered.lost(node),
    shown: (side) => shown[side],
    left: (until) => left.by(until),
    seen: (node) => unanswered.seen(node),
  };
}

/** Counts moments by their time. */
function createLeft(): { add(at: number): void; by(until: number): number } {
  const times: number[] = [];
  let passed = 0;
  return {
    add: (at) => void times.push(at),
    by(until) {
      let count = 0;
      while (count < times.length && (times[count] as number) <= until) count += 1;
      times.splice(0, count);
      passed += count;
      return passed;
    },
  };
}

function isProbe(flow: Flow): boolean {
  return headerOf(flow, PROBE_HEADER) !== undefined;
}

/** A pod of ours has asked somebody else: what it was answered is not its doing. */
function isClient(sides: Sides, { destination }: Flow): boolean {
  return sides.of({ pod: destination?.pod_name && `${destination.namespace ?? ''}/${destination.pod_name}` }) !== undefined;
}

function troubleOf({ time, IP }: Flow, code: number, seenAt: number): TroubleEvidence {
  return { kind: 'trouble', at: millisecondsOf(time), seenAt, words: `${code} of ${IP?.source || 'the gateway'}, from no pod` };
}

/** A request and its answer: the same id, by the same reporter. */
function keyOf({ traffic_direction = '' }: Flow, node: string, id: string): string {
  return `${node} ${traffic_direction} ${id}`;
}

/** Whose request it is, by the server at its end. */
function sideOf(sides: Sides, flow: Flow): { readonly side: Side; readonly server: string } | undefined {
  const isAnswer = flow.l7?.type === 'RESPONSE';
  const [server, address, named] = isAnswer
    ? [flow.source, flow.IP?.source, flow.source_service]
    : [flow.destination, flow.IP?.destination, flow.destination_service];
  const pod = server?.pod_name ? `${server.namespace ?? ''}/${server.pod_name}` : undefined;
  const service = named?.name ? `${named.namespace ?? ''}/${named.name}` : undefined;
  const side = sides.of({ pod, address, service });
  return side && { side, server: pod ?? address ?? '' };
}
