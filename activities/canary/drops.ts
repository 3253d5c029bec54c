import { type Endpoint, type Flow, millisecondsOf } from '../../src/clients/hubble/flow.ts';
import type { DropEvidence } from '../../src/domain/judge/evidence.ts';
import { createConnections } from './connections.ts';
import { isGateway } from './reporters.ts';
import type { Side, Sides } from './sides.ts';

/**
 * Tells a drop once per (source, destination, port, reason) and window: one denied connection is dropped many times over. A connection on
 * the requests' own way is told once, when none of its requests can be answered within the limit any more.
 */
export interface DropReader {
  read(flow: Flow, seenAt: number): DropEvidence | undefined;
  /**
   * True when a failed request of this side was told as a dropped connection shortly before `now`: then it is not to be told again, as an
   * error of the gateway or as one without an answer. Each is taken once.
   */
  take(side: Side, now: number): boolean;
}

/** Width of a window (ms of event time). */
const DROP_WINDOW_MS = 10_000;
/** Cilium's monitor event types. */
const DROP = 1;
const VERDICT = 5;
const MOST = 10_000;

export function createDropReader(sides: Sides, latencyLimitMs = 1_000): DropReader {
  const told = new Set<string>();
  const connections = createConnections(latencyLimitMs);
  const once = (id: string): boolean => {
    if (told.has(id)) return false;
    told.add(id);
    if (told.size > MOST) told.delete(told.values().next().value ?? '');
    return true;
  };
  return {
    read(flow, seenAt) {
      if (!isDrop(flow)) return undefined;
      const from = ends(flow.source, flow.IP?.source);
      const to = ends(flow.destination, flow.IP?.destination);
      const reached = sides.of({ pod: to.pod, address: flow.IP?.destination });
      const side = reached ?? sides.of({ pod: from.pod, address: flow.IP?.source });
      if (!side) return undefined;
      const at = millisecondsOf(flow.time);
      const port = (flow.l4?.TCP ?? flow.l4?.UDP ?? flow.l4?.SCTP)?.destination_port ?? 0;
      const reason = flow.drop_reason_desc ?? 'DROP_REASON_UNKNOWN';
      const drop = { kind: 'drop', at, seenAt, side, source: from.name, destination: to.name, port, reason } as const;
      const key = connectionOf(flow, sides, reached !== undefined);
      if (key !== undefined) {
        const { TCP } = flow.l4 ?? {};
        const opens = TCP?.flags?.SYN === true;
        const first = connections.dropped(key, side, at, opens);
        if (first === undefined) return undefined;
        // The request of an answer that is dropped began before it.
        const startedAt = reached ? first : first - latencyLimitMs;
        return { ...drop, id: `drop/${key}`, connection: true, startedAt };
      }
      const id = `drop/${from.name}/${to.name}/${port}/${reason}/${Math.floor(at / DROP_WINDOW_MS)}`;
      return once(id) ? { ...drop, id, peer: reached ? from.name : to.name } : undefined;
    },
    take: (side, now) => connections.take(side, now),
  };
}

/**
 * An agent keeps the newest event of its ring back until its node's next one: seconds where little happens (Cilium 1.20.2). So a drop is heard by the
 * verdict before it, where a policy caused it; any other when its client tries again, after a second at most.
 */
function isDrop({ event_type, verdict }: Flow): boolean {
  return event_type?.type === DROP || (event_type?.type === VERDICT && verdict === 'DROPPED');
}

/** Both ends of a connection of a gateway to a port at which the pod is asked, in the direction of its requests; undefined for any other. */
function connectionOf({ l4, IP, source, destination }: Flow, sides: Sides, isRequest: boolean): string | undefined {
  const { TCP } = l4 ?? {};
  const [client, server] = isRequest ? [source, TCP?.destination_port] : [destination, TCP?.source_port];
  if (!TCP || !isGateway(client) || server === undefined || !sides.serves(server)) return undefined;
  const [ours, theirs] = [`${IP?.source ?? ''}:${TCP.source_port ?? 0}`, `${IP?.destination ?? ''}:${TCP.destination_port ?? 0}`];
  return isRequest ? `${ours}>${theirs}` : `${theirs}>${ours}`;
}

/** A pod by its name, else what is reserved by its word, else an address. */
function ends(end: Endpoint | undefined, address = ''): { readonly name: string; readonly pod?: string } {
  if (end?.pod_name) {
    const pod = `${end.namespace ?? ''}/${end.pod_name}`;
    return { name: pod, pod };
  }
  const reserved = end?.labels?.find((label) => label.startsWith('reserved:'))?.slice('reserved:'.length);
  // Everybody outside is `world`; which of them it was says the address.
  return { name: reserved === undefined || reserved === 'world' ? address : reserved };
}
