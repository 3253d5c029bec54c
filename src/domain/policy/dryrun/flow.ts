// From what Hubble recorded to what a policy decides: nothing that the record does not say.
import type { FlowProtocol, HttpRequest, NamedPort, PolicyFlow, PolicyPeer } from '../flow.ts';
import type { Direction } from '../policy.ts';
import type { RecordedFlow } from './recorded.ts';

/** One connection attempt, or one request in one, as one side saw it. */
export interface SeenFlow {
  readonly flow: PolicyFlow;
  /** The side whose policies decide: where the record was made. */
  readonly direction: Direction;
  /** Epoch ms. */
  readonly at: number;
  /** The same for all events of one connection (of one request). */
  readonly id: string;
  readonly unit: 'connection' | 'request';
  /** What the policies of the cluster said then; undefined where the record is no policy's verdict. */
  readonly decided: 'allowed' | 'denied' | undefined;
  readonly example: FlowExample;
}

/** One flow as people recognise it. */
export interface FlowExample {
  readonly at: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number | undefined;
  readonly protocol: string;
  readonly verdict: string;
  /** `GET /admin`, `api.example.com.`: the request or the query. */
  readonly request?: string;
}

/** Why a record says too little to be decided. */
export const UNKNOWN_REASONS = {
  source: 'the source has no labels',
  destination: 'the destination has no labels',
  identity: 'the identity of an end was unknown to the agent',
  direction: 'it does not say on which side it was seen',
  reply: 'it does not say whether it is a reply',
  protocol: 'it names no protocol or port',
  name: 'the name behind the address is not in the record, and a rule speaks of names',
  namedPort: 'a rule names its port, and the container ports of the destination are not known',
  selector: 'a rule speaks of groups or services that lie outside of the policies',
  condition:
    'a rule that lets it through has a further condition (serverNames, listener, authentication, a secret header), which a record does not tell',
  node: 'the policy is for nodes (nodeSelector), which are not decided from records',
} as const;
export type UnknownReason = keyof typeof UNKNOWN_REASONS;

type MappedFlow =
  | { readonly kind: 'seen'; readonly seen: readonly SeenFlow[] }
  | {
      readonly kind: 'unknown';
      readonly reason: UnknownReason;
      readonly direction: Direction | undefined;
      readonly source: PolicyPeer;
      readonly destination: PolicyPeer;
      readonly id: string;
      readonly example: FlowExample;
    }
  /** Replies, responses, and events that are no new connection. */
  | { readonly kind: 'skipped' };

export interface FlowContext {
  /** Container ports of the pod with this address, where they are known. */
  readonly namedPorts?: (address: string) => readonly NamedPort[] | undefined;
}

const EVENT = { drop: 1, trace: 4, policyVerdict: 5, accessLog: 129 } as const;
/** Reasons of a drop that a policy has: one that asks for authentication drops until both ends have proved who they are. */
export const POLICY_DROPS: readonly string[] = ['POLICY_DENIED', 'POLICY_DENY', 'POLICY_DENIED_BY_DENYLIST', 'AUTH_REQUIRED'];
const SKIPPED: MappedFlow = { kind: 'skipped' };

/** Reserved identities that a number alone says (cilium v1.20.2, pkg/identity/numericidentity.go). */
const RESERVED: Readonly<Record<number, string>> = {
  1: 'host',
  2: 'world',
  3: 'unmanaged',
  4: 'health',
  5: 'init',
  6: 'remote-node',
  7: 'kube-apiserver',
  8: 'ingress',
  9: 'world-ipv4',
  10: 'world-ipv6',
};

/** What one record says. Total. A record of layer 7 speaks of its connection as well. */
export function mapFlow(record: RecordedFlow, context: FlowContext = {}): MappedFlow {
  const event = record.event_type?.type ?? 0;
  const isL7 = record.l7 !== undefined;
  if (record.is_reply === true || isError(record) || !isNewConnection(record, event, isL7)) return SKIPPED;
  const layer4 = layer4Of(record);
  const source = peerOf(record, 'source', context);
  const destination = peerOf(record, 'destination', context);
  const direction = directionOf(record, event);
  const example = exampleOf(record, layer4);
  const { IP } = record;
  const id = `${direction} ${layer4?.protocol} ${IP.source}:${layer4?.sourcePort}>${IP.destination}:${layer4?.port ?? layer4?.icmpType}`;
  const unknown = (reason: UnknownReason): MappedFlow => ({ kind: 'unknown', reason, direction, source, destination, id, example });
  if (direction === undefined) return unknown('direction');
  if (!layer4) return unknown('protocol');
  if (source.labels.length === 0) return unknown('source');
  if (destination.labels.length === 0) return unknown('destination');
  if ([...source.labels, ...destination.labels].includes('reserved:unknown')) return unknown('identity');
  if (record.is_reply === undefined && !isL7 && record.verdict !== 'DROPPED' && !opens(record)) return unknown('reply');
  const flow: PolicyFlow = { source, destination, protocol: layer4.protocol, destinationPort: layer4.port, icmpType: layer4.icmpType };
  const decided = event === EVENT.trace ? undefined : record.verdict === 'DROPPED' ? 'denied' : 'allowed';
  const { request: _request, ...plain } = example;
  const connection: SeenFlow = {
    flow,
    direction,
    at: record.time,
    id,
    unit: 'connection',
    // A refused request still came over a connection that was let through.
    decided: isL7 ? 'allowed' : decided,
    example: isL7 ? { ...plain, verdict: 'FORWARDED' } : plain,
  };
  const asked = requestOf(record);
  if (!asked) return { kind: 'seen', seen: hasArrived(record, event) ? [leftOf(connection), connection] : [connection] };
  const requestId = record.uuid === '' ? `${id} ${example.request} ${record.time}` : record.uuid;
  const request: SeenFlow = { ...connection, flow: { ...flow, ...asked }, id: requestId, unit: 'request', decided, example };
  return { kind: 'seen', seen: [connection, request] };
}

/** Agents write EGRESS on every trace to an endpoint, at its destination as well (cilium/cilium #36814): where it was seen says which end it is. */
function directionOf({ traffic_direction: said, trace_observation_point: point }: RecordedFlow, event: number): Direction | undefined {
  if (hasArrived({ trace_observation_point: point }, event)) return 'ingress';
  if (event === EVENT.trace && ['TO_STACK', 'TO_OVERLAY', 'TO_NETWORK'].includes(point)) return 'egress';
  return said === 'INGRESS' ? 'ingress' : said === 'EGRESS' ? 'egress' : undefined;
}

/**
 * What has arrived has left its source. Between pods of one node nothing else says so: where no policy selects the source, the trace at the
 * destination is the only record (seen on Cilium 1.20.2).
 */
function hasArrived({ trace_observation_point: point }: Pick<RecordedFlow, 'trace_observation_point'>, event: number): boolean {
  return event === EVENT.trace && point === 'TO_ENDPOINT';
}

function leftOf(connection: SeenFlow): SeenFlow {
  return { ...connection, direction: 'egress', id: connection.id.replace(/^ingress/, 'egress') };
}

/** What conntrack knows as part of a connection: it passes with it, whatever a policy says of its own protocol (an ICMP error, an answer). */
const PARTS: readonly string[] = ['RELATED', 'REPLY'];

/** Packets before service translation still carry the Service's address, so what comes from an endpoint is left to the later record. */
function isNewConnection(record: RecordedFlow, event: number, isL7: boolean): boolean {
  switch (event) {
    case EVENT.drop:
      return POLICY_DROPS.includes(record.drop_reason_desc);
    case EVENT.trace:
      return !record.trace_observation_point.startsWith('FROM_') && !PARTS.includes(record.trace_reason);
    case EVENT.accessLog:
      return record.l7?.type === 'REQUEST';
    case EVENT.policyVerdict:
      return true;
    default:
      return event === 0 && !isL7;
  }
}

/** ICMP messages about another packet (RFC 792, RFC 4443): unreachable, source quench, redirect, time exceeded, parameter problem. */
const ERRORS: Readonly<Record<'ICMPv4' | 'ICMPv6', readonly number[]>> = { ICMPv4: [3, 4, 5, 11, 12], ICMPv6: [1, 3, 4] };
const UNREACHABLE = 3;
const TOO_LARGE = 4;

/**
 * An ICMP error is part of the connection that it speaks of, and nobody's attempt: a pod that no longer waits for an answer says so (port
 * unreachable), which an agent drops where that connection went through its proxy (Cilium 1.20.2, DNS). That a packet was too large is heard, since
 * without it the connection stands still.
 */
function isError({ l4 }: RecordedFlow): boolean {
  if (l4?.ICMPv6) return ERRORS.ICMPv6.includes(l4.ICMPv6.type);
  const icmp = l4?.ICMPv4;
  return icmp ? ERRORS.ICMPv4.includes(icmp.type) && !(icmp.type === UNREACHABLE && icmp.code === TOO_LARGE) : false;
}

function opens({ l4 }: RecordedFlow): boolean {
  return l4?.TCP?.flags?.SYN === true && l4.TCP.flags.ACK !== true;
}

interface Ends {
  readonly protocol: FlowProtocol;
  readonly sourcePort: number;
  readonly port?: number;
  readonly icmpType?: number;
}

function layer4Of({ l4 }: RecordedFlow): Ends | undefined {
  for (const protocol of ['TCP', 'UDP', 'SCTP'] as const) {
    const ports = l4?.[protocol];
    if (ports && ports.destination_port > 0) return { protocol, sourcePort: ports.source_port, port: ports.destination_port };
  }
  const icmp = l4?.ICMPv4 ?? l4?.ICMPv6;
  return icmp ? { protocol: l4?.ICMPv4 ? 'ICMP' : 'ICMPV6', sourcePort: 0, icmpType: icmp.type } : undefined;
}

function peerOf(record: RecordedFlow, end: 'source' | 'destination', { namedPorts }: FlowContext): PolicyPeer {
  const { labels, identity } = record[end];
  const ip = record.IP[end];
  const names = end === 'destination' ? record.destination_names : record.source_names;
  const reserved = labels.length === 0 ? RESERVED[identity] : undefined;
  return {
    labels: reserved === undefined ? labels : [`reserved:${reserved}`],
    ...(ip === '' ? {} : { ip }),
    ...(names.length === 0 ? {} : { fqdns: names }),
    ...(end === 'destination' ? { namedPorts: namedPorts?.(ip) } : {}),
  };
}

function requestOf({ l7 }: RecordedFlow): Pick<PolicyFlow, 'http' | 'dns'> | undefined {
  if (l7?.http) return { http: httpOf(l7.http) };
  return l7?.dns && l7.dns.query !== '' ? { dns: { query: l7.dns.query } } : undefined;
}

/** Envoy's record holds the whole URL; rules see path and query, and the host with the port the client sent. */
function httpOf({ method, url, headers }: NonNullable<NonNullable<RecordedFlow['l7']>['http']>): HttpRequest {
  const fields = Object.fromEntries((headers ?? []).map(({ key, value }) => [key.toLowerCase(), value]));
  const [, authority = '', path = url] = /^[a-z]+:\/\/([^/]*)(.*)$/i.exec(url) ?? [];
  return { method, path: path === '' ? '/' : path, host: fields[':authority'] ?? fields['host'] ?? authority, headers: fields };
}

function exampleOf(record: RecordedFlow, layer4: Ends | undefined): FlowExample {
  const { http, dns } = record.l7 ?? {};
  const request = http ? `${http.method} ${httpOf(http).path.split('?')[0]}` : dns?.query;
  return {
    at: record.time,
    source: nameOf(record, 'source'),
    destination: nameOf(record, 'destination'),
    port: layer4?.port,
    protocol: layer4?.protocol ?? 'unknown',
    verdict: record.verdict,
    ...(request === undefined ? {} : { request }),
  };
}

function nameOf(record: RecordedFlow, end: 'source' | 'destination'): string {
  const { namespace, pod_name } = record[end];
  if (pod_name !== '') return `${namespace}/${pod_name}`;
  const ip = record.IP[end];
  const [name] = end === 'destination' ? record.destination_names : record.source_names;
  return name === undefined ? ip || 'unknown' : `${name} (${ip})`;
}
