import { type Flow, isTrace, millisecondsOf } from '../../src/clients/hubble/flow.ts';
import { createRecent } from '../../src/clients/hubble/recent.ts';
import type { SeenFlow } from '../../src/domain/policy/dryrun/flow.ts';
import { readRecorded } from '../../src/domain/policy/dryrun/recorded.ts';
import type { PolicyFlow, PolicyPeer } from '../../src/domain/policy/flow.ts';
import type { Direction } from '../../src/domain/policy/policy.ts';
import { type Compared, causeOf, mayBeDenied, newlyOf, type Step, wouldDrop } from '../../src/domain/policy/stages/attribution.ts';
import type { ConnectionEvidence, Newly } from '../../src/domain/policy/stages/connection.ts';
import { doubtKey, type FlowGroup, peerOf, requestOf, whereOf } from '../../src/domain/policy/stages/group.ts';
import { inCohort } from '../../src/reading/policy/subject.ts';
import { type Heard, hearing, type Subjects } from './heard.ts';

/** What the reader must know about one stage. */
export interface ConnectionContext extends Subjects {
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

interface ConnectionReader {
  /** What a flow says about a pod under the policy; undefined where it is about none, or has been told already. */
  read(flow: Flow, node: string, seenAt: number): ConnectionEvidence | undefined;
}

/** A denied connection shows as a policy verdict and as a drop, and its client tries again: one of each kind counts in this time (ms). */
const SLOT_MS = 10_000;
const REMEMBERED = 20_000;
const WILDCARD_MATCH = 4;

export function createConnectionReader(context: ConnectionContext): ConnectionReader {
  const told = createRecent(REMEMBERED);
  const traced = createRecent(REMEMBERED);
  const standing = createStanding(context);
  const kinds = createKinds();
  return {
    read(flow, node, seenAt) {
      if (isTrace(flow) && !traced.add(packetOf(flow))) return undefined;
      const recorded = readRecorded(flow);
      if (recorded.kind !== 'flow') return undefined;
      const heard = hearing(recorded.flow, context);
      if (!heard) return undefined;
      const judged = judge(context, heard, flow, { seenAt, standing, kinds });
      if (!judged) return undefined;
      const key = keyOf(judged, flow, node, { seen: heard.seen, isEarlier: isBefore(judged.at, context) });
      return told.add(key) ? judged : undefined;
    },
  };
}

/** Of a connection the first of its traces at each place says it all, in each slot of time: the rest need not be taken apart. */
function packetOf({ IP, l4, trace_observation_point: point, trace_reason: reason, time }: Flow): string {
  const ports = l4?.TCP ?? l4?.UDP ?? l4?.SCTP;
  return `${point} ${reason} ${IP?.source}:${ports?.source_port}>${IP?.destination}:${ports?.destination_port} ${Math.floor(millisecondsOf(time) / SLOT_MS)}`;
}

interface Told {
  readonly seen: SeenFlow;
  /** Than the stage. */
  readonly isEarlier: boolean;
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

function isBefore(at: number, { step }: ConnectionContext): boolean {
  return step !== undefined && at < step.from;
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
    pod: end.pod_name ?? '',
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
  if (seen.decided === undefined && hasVerdict(context, flow, direction)) return undefined;
  if (!observing) return { ...base, outcome: 'forwarded' };
  const marked = raw.policy_log?.includes(observing.marker) ?? false;
  if (marked && observing.isAll && causeOf(context.compared, flow, direction) === 'before')
    return { ...base, outcome: 'would-drop', cause: 'hidden' };
  const shadow = {
    stands: seen.unit === 'connection' && standing(direction, end.pod_name ?? '', { marked, at }),
    marked,
    unmatched: raw.policy_match_type === WILDCARD_MATCH,
  };
  if (!wouldDrop(context.compared, flow, direction, shadow))
    return mayBeDenied(context.compared, flow, direction)
      ? { ...base, outcome: 'would-drop', cause: 'unexplained' }
      : { ...base, outcome: 'forwarded' };
  return { ...base, outcome: 'would-drop', cause: causeOf(context.compared, flow, direction) };
}

/** Where a policy selects the pod its verdict tells of the connection, and more than a trace does; where none does there is no verdict. */
function hasVerdict({ step, observing }: ConnectionContext, flow: PolicyFlow, direction: Direction): boolean {
  return observing?.directions.includes(direction) ?? step?.now.decide(flow)[direction]?.selected ?? false;
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

/**
 * What is let through counts once for each connection, however many records tell of it, and a request each time; what is dropped once per pair of
 * identities, port and direction in a while.
 */
function keyOf(
  { outcome, group, at, example, address, pod }: ConnectionEvidence,
  raw: Flow,
  node: string,
  { seen, isEarlier }: Told,
): string {
  if (isEarlier && outcome === 'forwarded') return `before/${seen.id}/${Math.floor(at / SLOT_MS)}`;
  // A datagram may be the first of many on the same ports.
  if (outcome === 'forwarded' && seen.unit === 'connection') return `${seen.id}/${raw.l4?.TCP ? '' : Math.floor(at / SLOT_MS)}`;
  if (outcome === 'forwarded') return `${node}/${raw.uuid ?? `${at}/${example}`}`;
  const request = raw.l7 ? example : '';
  // What an address means to a pod is known pod by pod: each has looked names up for itself.
  const who = group.direction === 'egress' && address !== '' ? pod : raw.source?.identity;
  return `${outcome}/${who}/${raw.destination?.identity}/${doubtKey(group)}/${request}/${Math.floor(at / SLOT_MS)}`;
}
