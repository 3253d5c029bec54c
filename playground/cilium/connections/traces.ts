/** Packets on their way, as the agents report them where nothing is decided about them. */
import { type Direction, eventTypes, type Flow } from '../flows/flow.ts';
import type { Connection } from './decision.ts';
import { connectionBase, type Flags, layer4, type Reported, type Stamp } from './packet.ts';

/** A packet of a connection: what it carries, and what conntrack knows of it. */
export interface Packet {
  readonly flags: Flags;
  readonly reason: 'NEW' | 'ESTABLISHED' | 'REPLY';
}

// Sub-types of trace events (v1.20.2 pkg/monitor/api/types.go): to-endpoint is 0 there, 101 in the flow's own enum.
const subTypes = { TO_ENDPOINT: 0, TO_PROXY: 1, TO_STACK: 3, TO_OVERLAY: 4 } as const;
type TracePoint = keyof typeof subTypes;

/** Of a node's cards: a pod's end, its own, the tunnel's. */
const INTERFACES = { TO_ENDPOINT: 12, TO_STACK: 2, TO_OVERLAY: 5 } as const;
const PROXY_PORT = 10_001;

/** Agents write EGRESS on all that arrives at an endpoint, whichever way it goes (cilium/cilium #36814). */
const directionOf = (point: TracePoint, isReply: boolean): Direction => (point !== 'TO_ENDPOINT' && isReply ? 'INGRESS' : 'EGRESS');

function traceFlow(connection: Connection, point: TracePoint, { flags, reason }: Packet, node: string, stamp: Stamp): Flow {
  const isReply = reason === 'REPLY';
  const base = connectionBase(connection, node, stamp, flags);
  const { destination_names: names, ...rest } = base;
  return {
    ...rest,
    ...(isReply
      ? {
          IP: { ...base.IP, source: base.IP.destination, destination: base.IP.source },
          l4: layer4(connection, flags, true),
          source: base.destination,
          destination: base.source,
          ethernet: { source: base.ethernet.destination, destination: base.ethernet.source },
          reply: true,
          ...(names && { source_names: names }),
        }
      : names && { destination_names: names }),
    verdict: 'FORWARDED',
    event_type: { type: eventTypes.trace, ...(subTypes[point] !== 0 && { sub_type: subTypes[point] }) },
    traffic_direction: directionOf(point, isReply),
    trace_observation_point: point,
    ...(point === 'TO_PROXY' ? { proxy_port: PROXY_PORT } : { interface: { index: INTERFACES[point] } }),
    trace_reason: reason,
    is_reply: { value: isReply },
  };
}

/** Of what a node itself sends there is no conntrack entry of an endpoint, so its agent knows neither direction nor reason. */
function ofHost(flow: Flow): Flow {
  const { trace_reason: _reason, is_reply: _reply, ...rest } = flow;
  return { ...rest, traffic_direction: 'TRAFFIC_DIRECTION_UNKNOWN' };
}

/**
 * Where a packet is seen: as it leaves its sender's node (or goes into the proxy there), and as it arrives at a pod. Pods of one node have one
 * place for both; a node and its own pods as well.
 */
export function traceFlows(
  connection: Connection,
  packet: Packet,
  stamp: Stamp,
  isProxied = false,
): { readonly leaving: readonly Reported[]; readonly arriving: readonly Reported[] } {
  const isReply = packet.reason === 'REPLY';
  const [sender, receiver] = isReply ? [connection.destination, connection.source] : [connection.source, connection.destination];
  const at = (point: TracePoint, node: string): Reported => ({ node, flow: traceFlow(connection, point, packet, node, stamp) });
  const arriving = receiver.kind === 'pod' ? [at('TO_ENDPOINT', receiver.node)] : [];
  // The proxy asks on by a connection of its own.
  if (isProxied) return { leaving: [at('TO_PROXY', sender.node)], arriving: [] };
  if (sender.node === '') return { leaving: [], arriving };
  if (sender.node === receiver.node)
    return { leaving: sender.kind === 'pod' && receiver.kind !== 'pod' ? [at('TO_STACK', sender.node)] : [], arriving };
  const left = at(receiver.node === '' ? 'TO_STACK' : 'TO_OVERLAY', sender.node);
  return { leaving: [sender.kind === 'pod' ? left : { ...left, flow: ofHost(left.flow) }], arriving };
}

/** All traces of one packet. */
export function packetFlows(connection: Connection, packet: Packet, stamp: Stamp): readonly Reported[] {
  const { leaving, arriving } = traceFlows(connection, packet, stamp);
  return [...leaving, ...arriving];
}

/** What a proxy on its node answers a client in the name of the server: it arrives, and has come from nowhere. */
export function proxyAnswer(connection: Connection, stamp: Stamp): readonly Reported[] {
  return traceFlows(connection, { flags: [], reason: 'REPLY' }, stamp).arriving;
}

/** The rest of a handshake whose SYN has come through. */
export const handshake: readonly Packet[] = [
  { flags: ['SYN', 'ACK'], reason: 'REPLY' },
  { flags: ['ACK'], reason: 'ESTABLISHED' },
];
/** A request and its answer. Later ones have no new flags, so that aggregation folds them until its interval is over. */
export const exchange: readonly [Packet, Packet] = [
  { flags: ['ACK', 'PSH'], reason: 'ESTABLISHED' },
  { flags: ['ACK', 'PSH'], reason: 'REPLY' },
];
/** A client that closes after its answer. */
export const farewell: readonly Packet[] = [
  { flags: ['ACK', 'FIN'], reason: 'ESTABLISHED' },
  { flags: ['ACK', 'FIN'], reason: 'REPLY' },
  { flags: ['ACK'], reason: 'ESTABLISHED' },
];
/** Nobody listens there. */
export const rejection: readonly Packet[] = [{ flags: ['ACK', 'RST'], reason: 'REPLY' }];
