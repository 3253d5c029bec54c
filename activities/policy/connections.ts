import { type FlowContext, mapFlow, POLICY_DROPS, type SeenFlow } from '../../src/domain/policy/dryrun/flow.ts';
import { type RecordedFlow, readRecorded } from '../../src/domain/policy/dryrun/recorded.ts';
import { FLOW_PROTOCOLS, type PolicyFlow, type PolicyPeer } from '../../src/domain/policy/flow.ts';
import type { Direction } from '../../src/domain/policy/policy.ts';
import { type Compared, causeOf, newlyOf, type Step, wouldDrop } from '../../src/domain/policy/stages/attribution.ts';
import type { ConnectionEvidence, Newly } from '../../src/domain/policy/stages/connection.ts';
import { doubtKey, type FlowGroup, peerOf, requestOf, whereOf } from '../../src/domain/policy/stages/group.ts';
import type { Flow } from '../clients/hubble/flow.ts';
import { createRecent } from '../clients/hubble/recent.ts';
import { inCohort } from './subject.ts';

/** What the reader must know about one stage. */
export interface ConnectionContext extends FlowContext {
  readonly namespace: string;
  /** Does the candidate select a pod with this identity? */
  readonly isSubject: (labels: readonly string[]) => boolean;
  /** `undefined`: all pods are at the same level. Else the names of those that are ahead. */
  readonly cohort: ReadonlySet<string> | undefined;
  readonly opId: string;
  readonly compared: Compared;
  /** The time of before, and what the pods were held to just then and are now: what the stage changes of what was seen. */
  readonly step?: (Step & { readonly from: number }) | undefined;
  /** Directions in which the shadow stands, and its marker; undefined outside of the observe stage. */
  readonly observing:
    | {
        readonly directions: readonly Direction[];
        readonly marker: string;
        /** The shadow is all there will be: what it lets through is dropped again when it goes. */
        readonly isAll: boolean;
      }
    | undefined;
}

export interface ConnectionReader {
  /** What a flow says about a pod under the policy; undefined where it is about none, or has been told already. */
  read(flow: Flow, node: string, seenAt: number): ConnectionEvidence | undefined;
}

/** A denied connection shows as a policy verdict and as a drop, and its client tries again: one of each kind counts in this time (ms). */
const SLOT_MS = 10_000;
const REMEMBERED = 20_000;
const WILDCARD_MATCH = 4;
const DROP_EVENT = 1;

export function createConnectionReader(context: ConnectionContext): ConnectionReader {
  const told = createRecent(REMEMBERED);
  const standing = createStanding(context);
  const kinds = createKinds();
  return {
    read(flow, node, seenAt) {
      const recorded = readRecorded(flow);
      if (recorded.kind !== 'flow') return undefined;
      const heard = hearing(recorded.flow, context);
      if (!heard) return undefined;
      const judged = judge(context, heard, flow, { seenAt, standing, kinds });
      if (!judged) return undefined;
      const before = isBefore(judged.at, context) ? heard.seen.id : undefined;
      return told.add(keyOf(judged, flow, node, before)) ? judged : undefined;
    },
  };
}

type Standing = (direction: Direction, pod: string, record: { readonly marked: boolean; readonly at: number }) => boolean;

/**
 * Where the shadow is in force, by pod and direction: since the first record there that carries its marker. Nodes realise a policy one after
 * the other, so a connection that nothing of it matched says nothing before that; and what a ring still holds is read after what comes live.
 */
function createStanding({ observing }: ConnectionContext): Standing {
  const since = new Map<string, number>();
  return (direction, pod, { marked, at }) => {
    if (!observing?.directions.includes(direction)) return false;
    const key = `${direction}/${pod}`;
    if (marked) since.set(key, Math.min(at, since.get(key) ?? at));
    return at >= (since.get(key) ?? Number.POSITIVE_INFINITY);
  };
}

/** A record as it is judged: what it says of its connection, and whether that is all that is known. */
interface Heard {
  readonly seen: SeenFlow;
  /** Why it was dropped, where that was no policy. */
  readonly reason?: string;
  /** It says too little about the other end to be decided. */
  readonly isVague?: boolean;
}

/** Every drop of a connection is heard, also one that no policy caused, and one whose record says little about the other end. */
function hearing(record: RecordedFlow, context: ConnectionContext): Heard | undefined {
  const reason = otherReason(record);
  if (reason !== undefined && record.l4?.ICMPv6) return undefined;
  const mapped = mapFlow(reason === undefined ? record : { ...record, drop_reason_desc: 'POLICY_DENIED' }, context);
  if (mapped.kind === 'skipped') return undefined;
  const rest = reason === undefined ? {} : { reason };
  if (mapped.kind === 'seen') {
    // A record of layer 7 speaks of its connection first, which a policy verdict has told already.
    const seen = mapped.seen.at(-1);
    if (seen?.decided === undefined && !isBefore(record.time, context)) return undefined;
    return seen && { seen, ...rest };
  }
  if (record.verdict !== 'DROPPED') return undefined;
  const { source, destination, id, example } = mapped;
  const direction = mapped.direction ?? (context.isSubject(destination.labels) ? 'ingress' : 'egress');
  const protocol = FLOW_PROTOCOLS.find((one) => one === example.protocol) ?? 'TCP';
  const flow: PolicyFlow = { source, destination, protocol, destinationPort: example.port };
  return { seen: { flow, direction, at: record.time, id, unit: 'connection', decided: 'denied', example }, isVague: true, ...rest };
}

/** Before a policy selects a pod there are no verdicts, so what was let through then is known from traces too. */
function isBefore(at: number, { step }: ConnectionContext): boolean {
  return step !== undefined && at < step.from;
}

/** The reason of a drop that is none of a policy; undefined for every other record. */
function otherReason({ event_type, verdict, drop_reason_desc: reason }: RecordedFlow): string | undefined {
  const isDrop = event_type?.type === DROP_EVENT && verdict === 'DROPPED';
  return isDrop && reason !== '' && !POLICY_DROPS.includes(reason) ? reason : undefined;
}

/** A ring holds thousands of records of a few kinds: each kind is decided once. */
type Kinds = (step: Step, key: string, decide: () => Newly | undefined) => Newly | undefined;

function createKinds(): Kinds {
  let of: Step | undefined;
  const known = new Map<string, Newly | undefined>();
  return (step, key, decide) => {
    if (of !== step || known.size >= REMEMBERED) known.clear();
    of = step;
    if (!known.has(key)) known.set(key, decide());
    return known.get(key);
  };
}

function kindOf({ flow, direction }: SeenFlow, group: FlowGroup): string {
  const { source, destination, http, dns } = flow;
  return JSON.stringify([direction, source.labels, destination.labels, source.ip, destination.fqdns, doubtKey(group), http, dns]);
}

interface Judging {
  readonly kinds: Kinds;
  readonly seenAt: number;
  readonly standing: Standing;
}

function judge(
  context: ConnectionContext,
  { seen, reason, isVague }: Heard,
  raw: Flow,
  { seenAt, standing, kinds }: Judging,
): ConnectionEvidence | undefined {
  const { direction, at } = seen;
  const end = direction === 'ingress' ? raw.destination : raw.source;
  const subject = direction === 'ingress' ? seen.flow.destination : seen.flow.source;
  if (end?.namespace !== context.namespace || !context.isSubject(subject.labels)) return undefined;
  const isAhead = context.cohort?.has(end.pod_name ?? '') ?? true;
  const flow = withSubject(seen.flow, direction, {
    ...subject,
    labels: inCohort(subject.labels, isAhead && context.cohort ? context.opId : undefined),
  });
  const group = groupOf(flow, seen);
  const peer = direction === 'ingress' ? flow.source : flow.destination;
  const base = {
    kind: 'connection',
    at,
    seenAt,
    side: isAhead ? 'canary' : 'stable',
    group,
    address: group.peer.kind === 'cluster' ? '' : (peer.ip ?? ''),
    example: `${exampleOf(seen)}${reason === undefined ? '' : `, ${reason}`}`,
  } as const;
  if (reason !== undefined) return { ...base, outcome: 'dropped', cause: 'unexplained', reason };
  if (seen.decided === 'denied' && isVague) return { ...base, outcome: 'dropped', cause: 'unexplained' };
  if (seen.decided === 'denied') return { ...base, outcome: 'dropped', cause: causeOf(context.compared, flow, direction) };
  if (context.step && isBefore(at, context)) {
    const as = (opId: string | undefined) => withSubject(seen.flow, direction, { ...subject, labels: inCohort(subject.labels, opId) });
    const { step, cohort, opId } = context;
    const newly = kinds(step, kindOf(seen, group), () => newlyOf(step, { was: as(undefined), is: as(cohort && opId) }, direction));
    // A shadow brings no proxy, so no request shows while it is all there is.
    return { ...base, outcome: 'forwarded', ...(newly && { newly: newly === 'proxied' && context.observing ? 'enforced' : newly }) };
  }
  const { observing } = context;
  if (!observing) return { ...base, outcome: 'forwarded' };
  const marked = raw.policy_log?.includes(observing.marker) ?? false;
  if (marked && observing.isAll && causeOf(context.compared, flow, direction) === 'before')
    return { ...base, outcome: 'would-drop', cause: 'hidden' };
  const shadow = {
    stands: seen.unit === 'connection' && standing(direction, end.pod_name ?? '', { marked, at }),
    marked,
    unmatched: raw.policy_match_type === WILDCARD_MATCH,
  };
  if (!wouldDrop(context.compared, flow, direction, shadow)) return { ...base, outcome: 'forwarded' };
  return { ...base, outcome: 'would-drop', cause: causeOf(context.compared, flow, direction) };
}

function withSubject(flow: PolicyFlow, direction: Direction, subject: PolicyPeer): PolicyFlow {
  return direction === 'ingress' ? { ...flow, destination: subject } : { ...flow, source: subject };
}

function groupOf(flow: PolicyFlow, { direction, unit, example }: SeenFlow): FlowGroup {
  const other = direction === 'ingress' ? flow.source : flow.destination;
  const [where, request] = [whereOf(other), unit === 'request' ? requestOf(example.request) : undefined];
  return {
    peer: peerOf(other.labels),
    direction,
    protocol: flow.protocol,
    port: flow.destinationPort,
    ...(where !== undefined && { where }),
    ...(request !== undefined && { request }),
  };
}

function exampleOf({ example }: SeenFlow): string {
  const { source, destination, port, protocol, request } = example;
  const where = port === undefined ? protocol : `port ${port}/${protocol}`;
  return `${source} → ${destination}, ${where}${request === undefined ? '' : `, ${request}`}`;
}

/** Before the stage a connection counts once, however many records tell of it. What is let through since counts each time; what is dropped once per pair of identities, port and direction in a while. */
function keyOf({ outcome, group, at, example }: ConnectionEvidence, raw: Flow, node: string, before: string | undefined): string {
  if (before !== undefined && outcome === 'forwarded') return `before/${before}/${Math.floor(at / SLOT_MS)}`;
  if (outcome === 'forwarded') return `${node}/${raw.uuid ?? `${at}/${example}`}`;
  const request = raw.l7 ? example : '';
  return `${outcome}/${raw.source?.identity}/${raw.destination?.identity}/${doubtKey(group)}/${request}/${Math.floor(at / SLOT_MS)}`;
}
