import { type ReadFlow, type RecordedFlow, reasonNamed } from './recorded.ts';

/** A flow as the Observer API is decoded: what is not set is left out, times in seconds and nanoseconds, booleans in `{value}`. */
export interface DecodedFlow {
  readonly time?: { readonly seconds: number; readonly nanos?: number } | undefined;
  readonly uuid?: string;
  readonly verdict?: string;
  readonly drop_reason_desc?: string | number;
  readonly IP?: { readonly source?: string; readonly destination?: string };
  readonly l4?: Layer4;
  readonly source?: DecodedEnd;
  readonly destination?: DecodedEnd;
  readonly l7?: {
    readonly type?: string;
    readonly http?: {
      readonly method?: string;
      readonly url?: string;
      readonly headers?: readonly { readonly key?: string; readonly value?: string }[];
    };
    readonly dns?: { readonly query?: string };
  };
  readonly event_type?: { readonly type?: number };
  readonly traffic_direction?: string;
  readonly trace_observation_point?: string;
  readonly trace_reason?: string;
  readonly is_reply?: { readonly value?: boolean };
  readonly destination_names?: readonly string[];
  readonly source_names?: readonly string[];
}

interface DecodedEnd {
  readonly identity?: number;
  readonly namespace?: string;
  readonly labels?: readonly string[];
  readonly pod_name?: string;
}

type Ports = { readonly source_port?: number; readonly destination_port?: number; readonly flags?: Flags };
type Icmp = { readonly type?: number; readonly code?: number };
type Flags = { readonly SYN?: boolean; readonly ACK?: boolean };
type Layer4 = { readonly [protocol in 'TCP' | 'UDP' | 'SCTP']?: Ports } & {
  readonly [protocol in 'ICMPv4' | 'ICMPv6']?: Icmp;
};
type Read<K extends keyof RecordedFlow> = NonNullable<RecordedFlow[K]>;

/**
 * The same as `readRecorded`, for flows whose form the Observer's proto guarantees. To check each of some hundred thousand once more costs fifty
 * microseconds and ten kilobytes of garbage, whose collection holds up the fuses on this thread. `knownEnds`: ends that are one object are read once.
 */
export function readDecoded(flow: DecodedFlow, knownEnds: WeakMap<object, Read<'source'>>): ReadFlow {
  const { time, uuid = '', verdict = '', drop_reason_desc, IP, l4, l7, event_type, is_reply } = flow;
  const { traffic_direction = '', trace_observation_point = '', trace_reason = '', destination_names, source_names } = flow;
  const [source, destination] = [endOf(flow.source, knownEnds), endOf(flow.destination, knownEnds)];
  if (verdict === '' && source.labels.length + destination.labels.length === 0) return { kind: 'unreadable', words: 'it is no flow' };
  const read: RecordedFlow = {
    time: time ? time.seconds * 1_000 + (time.nanos ?? 0) / 1e6 : Number.NaN,
    uuid,
    verdict,
    drop_reason_desc: reasonNamed(drop_reason_desc),
    IP: { source: IP?.source ?? '', destination: IP?.destination ?? '' },
    ...(l4 && { l4: layer4Of(l4) }),
    source,
    destination,
    ...(l7 && { l7: layer7Of(l7) }),
    ...(event_type && { event_type: { type: event_type.type ?? 0 } }),
    traffic_direction,
    trace_observation_point,
    trace_reason,
    is_reply: is_reply && (is_reply.value ?? false),
    destination_names: [...(destination_names ?? NONE)],
    source_names: [...(source_names ?? NONE)],
  };
  return { kind: 'flow', flow: read };
}

const NONE: readonly string[] = [];
const NOBODY: Read<'source'> = { identity: 0, namespace: '', labels: [], pod_name: '' };

function endOf(end: DecodedEnd | undefined, known: WeakMap<object, Read<'source'>>): Read<'source'> {
  if (!end) return NOBODY;
  const before = known.get(end);
  if (before) return before;
  const { identity = 0, namespace = '', labels = NONE, pod_name = '' } = end;
  const read = { identity, namespace, labels: [...labels], pod_name };
  known.set(end, read);
  return read;
}

function layer4Of({ TCP, UDP, SCTP, ICMPv4, ICMPv6 }: Layer4): Read<'l4'> {
  return {
    ...(TCP && { TCP: portsOf(TCP) }),
    ...(UDP && { UDP: portsOf(UDP) }),
    ...(SCTP && { SCTP: portsOf(SCTP) }),
    ...(ICMPv4 && { ICMPv4: icmpOf(ICMPv4) }),
    ...(ICMPv6 && { ICMPv6: icmpOf(ICMPv6) }),
  };
}

function icmpOf({ type = 0, code = 0 }: Icmp): NonNullable<Read<'l4'>['ICMPv4']> {
  return { type, code };
}

function portsOf({ source_port = 0, destination_port = 0, flags }: Ports): NonNullable<Read<'l4'>['TCP']> {
  return { source_port, destination_port, ...(flags && { flags: flagsOf(flags) }) };
}

function flagsOf({ SYN, ACK }: Flags) {
  return { ...(SYN !== undefined && { SYN }), ...(ACK !== undefined && { ACK }) };
}

function layer7Of({ type = '', http, dns }: NonNullable<DecodedFlow['l7']>): Read<'l7'> {
  const headers = http?.headers?.map(({ key = '', value = '' }) => ({ key, value }));
  return {
    type,
    ...(http && { http: { method: http.method ?? '', url: http.url ?? '', ...(headers && { headers }) } }),
    ...(dns && { dns: { query: dns.query ?? '' } }),
  };
}
