import { type FlowContext, mapFlow, POLICY_DROPS, type SeenFlow } from '../../src/domain/policy/dryrun/flow.ts';
import type { RecordedFlow } from '../../src/domain/policy/dryrun/recorded.ts';
import { FLOW_PROTOCOLS, type PolicyFlow } from '../../src/domain/policy/flow.ts';

const DROP_EVENT = 1;

/** Which pods a candidate is about. */
export interface Subjects extends FlowContext {
  readonly namespace: string;
  /** Does the candidate select a pod with this identity? */
  readonly isSubject: (labels: readonly string[]) => boolean;
}

/** A record as it is judged: what it says of its connection, and whether that is all that is known. */
export interface Heard {
  readonly seen: SeenFlow;
  /** Why it was dropped, where that was no policy. */
  readonly reason?: string;
  /** It says too little about the other end to be decided. */
  readonly isVague?: boolean;
}

/** Every drop of a connection is heard, also one that no policy caused, and one whose record says little about the other end. */
export function hearing(record: RecordedFlow, context: Subjects): Heard | undefined {
  const reason = otherReason(record);
  if (reason !== undefined && record.l4?.ICMPv6) return undefined;
  const mapped = mapFlow(reason === undefined ? record : { ...record, drop_reason_desc: 'POLICY_DENIED' }, context);
  if (mapped.kind === 'skipped') return undefined;
  const rest = reason === undefined ? {} : { reason };
  if (mapped.kind === 'seen') {
    // A record of layer 7 speaks of its connection first, which a policy verdict has told already; one of an arrival of both its ends.
    const seen = mapped.seen.findLast((one) => isAbout(record, one, context));
    return seen && { seen, ...rest };
  }
  if (record.verdict !== 'DROPPED') return undefined;
  const { source, destination, id, example } = mapped;
  const direction = mapped.direction ?? (context.isSubject(destination.labels) ? 'ingress' : 'egress');
  const protocol = FLOW_PROTOCOLS.find((one) => one === example.protocol) ?? 'TCP';
  const flow: PolicyFlow = { source, destination, protocol, destinationPort: example.port };
  return { seen: { flow, direction, at: record.time, id, unit: 'connection', decided: 'denied', example }, isVague: true, ...rest };
}

/** Whether it is about a pod that the candidate selects. */
function isAbout(record: Pick<RecordedFlow, 'source' | 'destination'>, { direction, flow }: SeenFlow, context: Subjects): boolean {
  const [end, peer] = direction === 'ingress' ? [record.destination, flow.destination] : [record.source, flow.source];
  return end.namespace === context.namespace && context.isSubject(peer.labels);
}

/** The reason of a drop that is none of a policy; undefined for every other record. */
function otherReason({ event_type, verdict, drop_reason_desc: reason }: RecordedFlow): string | undefined {
  const isDrop = event_type?.type === DROP_EVENT && verdict === 'DROPPED';
  return isDrop && reason !== '' && !POLICY_DROPS.includes(reason) ? reason : undefined;
}
