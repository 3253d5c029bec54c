/**
 * The flows that agents report for one new connection: a policy verdict at each end, a drop where one is denied, a trace where it leaves a node
 * and where it arrives. As with monitor aggregation `medium`: one trace per connection and point, not per packet.
 */
import { endpointOf } from '../flows/exchange-flows.ts';
import type { Direction, Flow } from '../flows/flow.ts';
import { eventTypes, timestamp } from '../flows/flow.ts';
import type { Connection, Decision, Side } from './decision.ts';
import { dropReasons } from './decision.ts';

/** A flow and the node whose agent reports it. */
export interface Reported {
  readonly node: string;
  readonly flow: Flow;
}

// Sub-types of trace events (v1.20.2 pkg/monitor/api/types.go): to-endpoint is 0 there, 101 in the flow's own enum.
const toEndpoint = { sub: 0, point: 'TO_ENDPOINT' } as const;
const toNetwork = { sub: 11, point: 'TO_NETWORK' } as const;

const base = (connection: Connection, node: string, at: number, uuid: string) => ({
  time: timestamp(at),
  uuid,
  IP: { source: connection.source.ip, destination: connection.destination.ip, ipVersion: 'IPv4' as const },
  l4: { TCP: { source_port: connection.sourcePort, destination_port: connection.port, flags: { SYN: true } } },
  source: endpointOf(connection.source, node),
  destination: endpointOf(connection.destination, node),
  Type: 'L3_L4' as const,
  node_name: node,
});

const policiesOf = (side: Side, direction: Direction) => {
  const [allowed, denied] =
    direction === 'EGRESS' ? (['egress_allowed_by', 'egress_denied_by'] as const) : (['ingress_allowed_by', 'ingress_denied_by'] as const);
  return { [allowed]: side.allowedBy, [denied]: side.deniedBy, policy_log: side.log };
};

const dropOf = (side: Side) =>
  side.reason === undefined || side.verdict !== 'DROPPED' ? {} : { drop_reason: dropReasons[side.reason], drop_reason_desc: side.reason };

const verdictFlow = (connection: Connection, side: Side, direction: Direction, node: string, at: number, uuid: string): Flow => ({
  ...base(connection, node, at, uuid),
  ...policiesOf(side, direction),
  ...dropOf(side),
  verdict: side.verdict,
  event_type: { type: eventTypes.policyVerdict },
  traffic_direction: direction,
  policy_match_type: side.match,
  is_reply: { value: false },
  Summary: 'TCP Flags: SYN',
});

const dropFlow = (connection: Connection, side: Side, direction: Direction, node: string, at: number, uuid: string): Flow => ({
  ...base(connection, node, at, uuid),
  ...policiesOf(side, direction),
  ...dropOf(side),
  verdict: 'DROPPED',
  event_type: { type: eventTypes.drop, sub_type: dropReasons[side.reason ?? 'POLICY_DENIED'] },
  traffic_direction: direction,
  Summary: 'TCP Flags: SYN',
});

const traceFlow = (connection: Connection, point: typeof toEndpoint | typeof toNetwork, node: string, at: number, uuid: string): Flow => ({
  ...base(connection, node, at, uuid),
  verdict: 'FORWARDED',
  event_type: { type: eventTypes.trace, sub_type: point.sub },
  traffic_direction: point === toEndpoint ? 'INGRESS' : 'EGRESS',
  trace_observation_point: point.point,
  trace_reason: 'NEW',
  is_reply: { value: false },
  Summary: 'TCP Flags: SYN',
});

/** Every flow of one attempt, in the order in which the nodes see them. `at` in Unix milliseconds. */
export const connectionFlows = (connection: Connection, decision: Decision, at: number, uuid: () => string): readonly Reported[] => {
  const [from, to] = [connection.source.node, connection.destination.node];
  const { egress, ingress } = decision;
  const flows: Reported[] = [{ node: from, flow: verdictFlow(connection, egress, 'EGRESS', from, at, uuid()) }];
  if (egress.verdict === 'DROPPED') return [...flows, { node: from, flow: dropFlow(connection, egress, 'EGRESS', from, at, uuid()) }];
  if (from !== to) flows.push({ node: from, flow: traceFlow(connection, toNetwork, from, at, uuid()) });
  flows.push({ node: to, flow: verdictFlow(connection, ingress, 'INGRESS', to, at, uuid()) });
  flows.push({
    node: to,
    flow:
      ingress.verdict === 'DROPPED'
        ? dropFlow(connection, ingress, 'INGRESS', to, at, uuid())
        : traceFlow(connection, toEndpoint, to, at, uuid()),
  });
  return flows;
};

/** True when both ends let it through. */
export const isAllowed = (decision: Decision): boolean => decision.egress.verdict !== 'DROPPED' && decision.ingress.verdict !== 'DROPPED';
