/**
 * The flows that agents report for one attempt to connect: a policy verdict at each end that is judged, a drop where one is denied, a trace where it
 * leaves a node and where it arrives. As with monitor aggregation `medium`: one trace per connection and point, not per packet.
 */
import type { Direction, Flow } from '../flows/flow.ts';
import { eventTypes, timestamp } from '../flows/flow.ts';
import type { Connection, Decision, Side } from './decision.ts';
import { dropReasons } from './decision.ts';
import { endOf } from './party.ts';

/** A flow and the node whose agent reports it. */
export interface Reported {
  readonly node: string;
  readonly flow: Flow;
}

/** When it happened (Unix ms), and a source of ids. */
export interface Stamp {
  readonly at: number;
  readonly uuid: () => string;
}

// Sub-types of trace events (v1.20.2 pkg/monitor/api/types.go): to-endpoint is 0 there, 101 in the flow's own enum.
const tracePoints = { TO_ENDPOINT: 0, TO_NETWORK: 11 } as const;
type TracePoint = keyof typeof tracePoints;

const layer4 = ({ protocol, sourcePort, port }: Connection, flag: 'SYN' | 'ACK'): Flow['l4'] => {
  const ports = { source_port: sourcePort, destination_port: port };
  return protocol === 'UDP' ? { UDP: ports } : { TCP: { ...ports, flags: { [flag]: true } } };
};

/** What every flow of a connection says, as `node` reports it. */
export const connectionBase = (connection: Connection, node: string, { at, uuid }: Stamp, flag: 'SYN' | 'ACK' = 'SYN') => ({
  time: timestamp(at),
  uuid: uuid(),
  IP: { source: connection.source.ip, destination: connection.destination.ip, ipVersion: 'IPv4' as const },
  l4: layer4(connection, flag),
  source: endOf(connection.source, node),
  destination: endOf(connection.destination, node),
  ...(connection.destination.names?.length ? { destination_names: connection.destination.names } : {}),
  Type: 'L3_L4' as const,
  node_name: node,
  Summary: connection.protocol === 'UDP' ? 'UDP' : `TCP Flags: ${flag}`,
});

const policiesOf = (side: Side, direction: Direction) => {
  const [allowed, denied] =
    direction === 'EGRESS' ? (['egress_allowed_by', 'egress_denied_by'] as const) : (['ingress_allowed_by', 'ingress_denied_by'] as const);
  return { [allowed]: side.allowedBy, [denied]: side.deniedBy, policy_log: side.log };
};

const dropOf = (side: Side) => (side.reason === undefined ? {} : { drop_reason: dropReasons[side.reason], drop_reason_desc: side.reason });

const verdictFlow = (connection: Connection, side: Side, direction: Direction, node: string, stamp: Stamp): Flow => ({
  ...connectionBase(connection, node, stamp),
  ...policiesOf(side, direction),
  ...dropOf(side),
  verdict: side.verdict,
  event_type: { type: eventTypes.policyVerdict },
  traffic_direction: direction,
  policy_match_type: side.match,
  is_reply: { value: false },
});

const dropFlow = (connection: Connection, side: Side, direction: Direction, node: string, stamp: Stamp): Flow => ({
  ...connectionBase(connection, node, stamp),
  ...policiesOf(side, direction),
  ...dropOf(side),
  verdict: 'DROPPED',
  event_type: { type: eventTypes.drop, sub_type: dropReasons[side.reason ?? 'POLICY_DENIED'] },
  traffic_direction: direction,
});

const traceFlow = (connection: Connection, point: TracePoint, reason: 'NEW' | 'ESTABLISHED', node: string, stamp: Stamp): Flow => ({
  ...connectionBase(connection, node, stamp, reason === 'NEW' ? 'SYN' : 'ACK'),
  verdict: 'FORWARDED',
  event_type: { type: eventTypes.trace, sub_type: tracePoints[point] },
  traffic_direction: point === 'TO_ENDPOINT' ? 'INGRESS' : 'EGRESS',
  trace_observation_point: point,
  trace_reason: reason,
  is_reply: { value: false },
});

/** The traces of a connection that lives: at the node it leaves, if any, and at the pod it reaches. */
export const traceFlows = (connection: Connection, reason: 'NEW' | 'ESTABLISHED', stamp: Stamp): readonly Reported[] => {
  const { source, destination } = connection;
  const leaves = source.node !== '' && source.node !== destination.node;
  return [
    ...(leaves ? [{ node: source.node, flow: traceFlow(connection, 'TO_NETWORK', reason, source.node, stamp) }] : []),
    ...(destination.kind === 'pod'
      ? [{ node: destination.node, flow: traceFlow(connection, 'TO_ENDPOINT', reason, destination.node, stamp) }]
      : []),
  ];
};

/**
 * Every flow of one SYN or datagram, in the order in which the nodes see them. Verdicts of packets of established connections appear on drops
 * only (v1.20.2 bpf/lib/policy_log.h: "if drop or if allow for CT_NEW"): use `refusalFlows` for those.
 */
export const connectionFlows = (connection: Connection, decision: Decision, stamp: Stamp): readonly Reported[] => {
  const refused = refusalFlows(connection, decision, stamp);
  const [from, to] = [connection.source.node, connection.destination.node];
  const { egress, ingress } = decision;
  const passed = (side: Side, direction: Direction, node: string): Reported => ({
    node,
    flow: verdictFlow(connection, side, direction, node, stamp),
  });
  if (egress?.verdict === 'DROPPED') return refused;
  const outward = egress ? [passed(egress, 'EGRESS', from)] : [];
  const traces = traceFlows(connection, 'NEW', stamp);
  const leaving = traces.filter(({ flow }) => flow.traffic_direction === 'EGRESS');
  if (ingress?.verdict === 'DROPPED') return [...outward, ...leaving, ...refused];
  const inward = ingress ? [passed(ingress, 'INGRESS', to)] : [];
  return [...outward, ...leaving, ...inward, ...traces.filter((trace) => !leaving.includes(trace))];
};

/** The two flows of a packet that an end drops: the verdict and the drop. None where nothing drops it. */
export const refusalFlows = (connection: Connection, { egress, ingress }: Decision, stamp: Stamp): readonly Reported[] => {
  const refuse = (side: Side, direction: Direction, node: string): readonly Reported[] => [
    { node, flow: verdictFlow(connection, side, direction, node, stamp) },
    { node, flow: dropFlow(connection, side, direction, node, stamp) },
  ];
  if (egress?.verdict === 'DROPPED') return refuse(egress, 'EGRESS', connection.source.node);
  if (ingress?.verdict === 'DROPPED') return refuse(ingress, 'INGRESS', connection.destination.node);
  return [];
};
