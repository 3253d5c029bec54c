/**
 * The flows that agents report for one attempt to connect: a policy verdict at each end that a policy selects, a drop where one is denied, a trace where
 * it leaves a node and where it arrives. Held to real agents of Cilium 1.20.2 in tunnel mode, monitor aggregation `medium`, by `npm run conformance`.
 */
import { type Direction, eventTypes, type Flow } from '../flows/flow.ts';
import { type Connection, type Decision, dropReasons, type Side } from './decision.ts';
import { connectionBase, type Flags, type Reported, type Stamp } from './packet.ts';
import { traceFlows } from './traces.ts';

function policiesOf({ allowedBy, deniedBy, log, match }: Side, direction: Direction) {
  const [allowed, denied] =
    direction === 'EGRESS' ? (['egress_allowed_by', 'egress_denied_by'] as const) : (['ingress_allowed_by', 'ingress_denied_by'] as const);
  return {
    ...(allowedBy.length > 0 && { [allowed]: allowedBy }),
    ...(deniedBy.length > 0 && { [denied]: deniedBy }),
    // A policy without a text of its own is there with an empty one; a default deny has no policy.
    ...(match !== 0 && { policy_match_type: match, policy_log: log.length > 0 ? log : [''] }),
  };
}

const dropOf = (side: Side) => (side.reason === undefined ? {} : { drop_reason: dropReasons[side.reason], drop_reason_desc: side.reason });

function verdictFlow(connection: Connection, side: Side, direction: Direction, node: string, stamp: Stamp, flags?: Flags): Flow {
  return {
    ...connectionBase(connection, node, stamp, flags),
    ...policiesOf(side, direction),
    ...dropOf(side),
    verdict: side.verdict,
    event_type: { type: eventTypes.policyVerdict },
    traffic_direction: direction,
    ...(side.verdict !== 'DROPPED' && { is_reply: { value: false } }),
  };
}

function dropFlow(connection: Connection, side: Side, direction: Direction, node: string, stamp: Stamp, flags?: Flags): Flow {
  return {
    ...connectionBase(connection, node, stamp, flags),
    ...dropOf(side),
    verdict: 'DROPPED',
    event_type: { type: eventTypes.drop, sub_type: dropReasons[side.reason ?? 'POLICY_DENIED'] },
    file: { name: 'bpf_lxc.c', line: direction === 'INGRESS' ? 2_410 : 1_320 },
    traffic_direction: direction,
  };
}

/**
 * Every flow of one SYN or datagram, in the order in which the nodes see them. Verdicts of packets of established connections appear on drops
 * only (v1.20.2 bpf/lib/policy_log.h: "if drop or if allow for CT_NEW"): use `refusalFlows` for those.
 */
export function connectionFlows(connection: Connection, decision: Decision, stamp: Stamp, isAgain = false): readonly Reported[] {
  const refused = refusalFlows(connection, decision, stamp);
  const [from, to] = [connection.source.node, connection.destination.node];
  const { egress, ingress, lost } = decision;
  if (egress?.verdict === 'DROPPED') return refused;
  // Where no policy selects the pod nothing is decided, and nothing is told but the traces.
  const passed = (side: Side | undefined, direction: Direction, node: string): readonly Reported[] =>
    side?.isSelected ? [{ node, flow: verdictFlow(connection, side, direction, node, stamp) }] : [];
  const { leaving, arriving } = traceFlows(connection, { flags: ['SYN'], reason: 'NEW' }, stamp, egress?.proxy !== undefined);
  // The same packet once more is folded by aggregation where it leaves; what is decided about it is told each time.
  const outward = isAgain ? [] : [...passed(egress, 'EGRESS', from), ...leaving];
  // Nothing arrives: the other node sees none of it.
  if (lost) return outward;
  if (ingress?.verdict === 'DROPPED') return [...outward, ...refused];
  return [...outward, ...passed(ingress, 'INGRESS', to), ...arriving];
}

/** The two flows of a packet that an end drops: the verdict and the drop. None where nothing drops it. */
export function refusalFlows(
  connection: Connection,
  { egress, ingress, lost }: Decision,
  stamp: Stamp,
  flags: Flags = ['SYN'],
): readonly Reported[] {
  const refuse = (side: Side, direction: Direction, node: string): readonly Reported[] => [
    { node, flow: verdictFlow(connection, side, direction, node, stamp, flags) },
    { node, flow: dropFlow(connection, side, direction, node, stamp, flags) },
  ];
  if (egress?.verdict === 'DROPPED') return refuse(egress, 'EGRESS', connection.source.node);
  if (lost) return [];
  if (ingress?.verdict === 'DROPPED') return refuse(ingress, 'INGRESS', connection.destination.node);
  return [];
}
