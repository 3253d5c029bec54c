import {
  DIRECTIONS,
  flagOf,
  L7_TYPES,
  Misfit,
  misfit,
  NUMBERED,
  named,
  POINTS,
  type Raw,
  record,
  TRACE_REASONS,
  text,
  texts,
  timeOf,
  VERDICTS,
  whole,
} from './values.ts';

/**
 * One flow as Hubble records it: a line of `hubble observe -o jsonpb` (`{"flow": {…}}`), a bare flow, or the form in which the Observer
 * API is decoded (times as seconds and nanoseconds, booleans in `{value}`). Names of members in the proto's way or in camel case, enums by
 * name or number. Unknown members are ignored, `null` counts as absent. Read by hand: a recording may have ten million of them.
 */
export interface RecordedFlow {
  /** Epoch ms; NaN where there is none. */
  readonly time: number;
  readonly uuid: string;
  readonly verdict: string;
  readonly drop_reason_desc: string;
  readonly IP: { readonly source: string; readonly destination: string };
  readonly l4?: RecordedLayer4 | undefined;
  readonly source: RecordedEnd;
  readonly destination: RecordedEnd;
  readonly l7?: RecordedLayer7 | undefined;
  readonly event_type?: { readonly type: number } | undefined;
  readonly traffic_direction: string;
  readonly trace_observation_point: string;
  readonly trace_reason: string;
  readonly is_reply: boolean | undefined;
  readonly destination_names: readonly string[];
  readonly source_names: readonly string[];
}

export interface RecordedEnd {
  readonly identity: number;
  readonly namespace: string;
  readonly labels: readonly string[];
  readonly pod_name: string;
}

type RecordedPorts = {
  readonly source_port: number;
  readonly destination_port: number;
  readonly flags?:
    | { readonly SYN?: boolean | undefined; readonly ACK?: boolean | undefined; readonly RST?: boolean | undefined }
    | undefined;
};
type RecordedIcmp = { readonly type: number; readonly code: number };
export type RecordedLayer4 = { readonly [protocol in 'TCP' | 'UDP' | 'SCTP']?: RecordedPorts | undefined } & {
  readonly [protocol in 'ICMPv4' | 'ICMPv6']?: RecordedIcmp | undefined;
};

export interface RecordedLayer7 {
  readonly type: string;
  readonly http?:
    | {
        readonly method: string;
        readonly url: string;
        readonly headers?: readonly { readonly key: string; readonly value: string }[] | undefined;
      }
    | undefined;
  readonly dns?: { readonly query: string } | undefined;
}

export type ReadFlow =
  | { readonly kind: 'flow'; readonly flow: RecordedFlow }
  /** The recorder itself says that events are missing. */
  | { readonly kind: 'lost'; readonly events: number }
  /** Node status and the like. */
  | { readonly kind: 'other' }
  | { readonly kind: 'unreadable'; readonly words: string };

const DROP_EVENT = 1;

/** The name of a drop's reason. */
export function reasonNamed(value: string | number | null | undefined): string {
  return NUMBERED[String(value)] ?? String(value ?? '');
}

/** One value out of a recording. Total. */
export function readRecorded(value: unknown): ReadFlow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { kind: 'unreadable', words: 'it is no flow' };
  const line = value as Raw;
  try {
    const lost = record(line['lost_events'] ?? line['lostEvents'], 'lost_events');
    if (lost) return { kind: 'lost', events: whole(lost['num_events_lost'] ?? lost['numEventsLost'], 'lost_events.num_events_lost') };
    if ((line['node_status'] ?? line['nodeStatus'] ?? line['agent_event'] ?? line['debug_event']) != null) return { kind: 'other' };
    const flow = flowOf(record(line['flow'], 'flow') ?? line);
    const isFlow = flow.verdict !== '' || flow.source.labels.length + flow.destination.labels.length > 0;
    return isFlow ? { kind: 'flow', flow } : { kind: 'unreadable', words: 'it is no flow' };
  } catch (error) {
    if (error instanceof Misfit) return { kind: 'unreadable', words: error.message };
    throw error;
  }
}

/** One line of a recorded file. Total: a line that is no JSON is said to be one. */
export function readRecordedLine(line: string): ReadFlow {
  try {
    return readRecorded(JSON.parse(line));
  } catch {
    return { kind: 'unreadable', words: 'it is not JSON' };
  }
}

function flowOf(flow: Raw): RecordedFlow {
  const event = record(flow['event_type'] ?? flow['eventType'], 'event_type');
  const ip = record(flow['IP'] ?? flow['ip'], 'IP') ?? NOTHING;
  const layer4 = record(flow['l4'], 'l4');
  const layer7 = record(flow['l7'], 'l7');
  const type = event && whole(event['type'], 'event_type.type');
  const verdict = named(flow['verdict'], VERDICTS, 'verdict');
  return {
    time: timeOf(flow['time']),
    uuid: text(flow['uuid'], 'uuid'),
    verdict,
    drop_reason_desc: dropReasonOf(flow, type === DROP_EVENT && verdict === 'DROPPED' ? event : undefined),
    IP: { source: text(ip['source'], 'IP.source'), destination: text(ip['destination'], 'IP.destination') },
    l4: layer4 && layer4Of(layer4),
    source: endOf(flow['source'], 'source'),
    destination: endOf(flow['destination'], 'destination'),
    l7: layer7 && layer7Of(layer7),
    event_type: type === undefined ? undefined : { type },
    traffic_direction: named(flow['traffic_direction'] ?? flow['trafficDirection'], DIRECTIONS, 'traffic_direction'),
    trace_observation_point: named(flow['trace_observation_point'] ?? flow['traceObservationPoint'], POINTS, 'trace_observation_point'),
    trace_reason: named(flow['trace_reason'] ?? flow['traceReason'], TRACE_REASONS, 'trace_reason'),
    is_reply: flagOf(flow['is_reply'] ?? flow['isReply']),
    destination_names: texts(flow['destination_names'] ?? flow['destinationNames'], 'destination_names'),
    source_names: texts(flow['source_names'] ?? flow['sourceNames'], 'source_names'),
  };
}

const NOTHING: Raw = {};
const NO_TEXTS: readonly string[] = [];
const NOBODY: RecordedEnd = { identity: 0, namespace: '', labels: NO_TEXTS, pod_name: '' };

/** By its name, by the older member that has only the number, or by the sub-type of the event, which is the same number. */
function dropReasonOf(flow: Raw, drop: Raw | undefined): string {
  const said = flow['drop_reason_desc'] ?? flow['dropReasonDesc'];
  if (said != null && typeof said !== 'string' && typeof said !== 'number') misfit('drop_reason_desc', 'a name or a number');
  const isSaid = said != null && said !== '' && said !== 0 && said !== 'DROP_REASON_UNKNOWN';
  if (isSaid) return reasonNamed(said as string | number);
  const number = whole(flow['drop_reason'] ?? flow['dropReason'] ?? drop?.['sub_type'] ?? drop?.['subType'], 'drop_reason');
  return number === 0 ? reasonNamed(said as string | number | undefined) : reasonNamed(number);
}

function endOf(value: unknown, path: string): RecordedEnd {
  const end = record(value, path);
  if (!end) return NOBODY;
  return {
    identity: whole(end['identity'], `${path}.identity`),
    namespace: text(end['namespace'], `${path}.namespace`),
    labels: texts(end['labels'], `${path}.labels`),
    pod_name: text(end['pod_name'] ?? end['podName'], `${path}.pod_name`),
  };
}

function layer4Of(l4: Raw): RecordedLayer4 {
  return {
    TCP: portsOf(l4['TCP'], 'l4.TCP'),
    UDP: portsOf(l4['UDP'], 'l4.UDP'),
    SCTP: portsOf(l4['SCTP'], 'l4.SCTP'),
    ICMPv4: icmpOf(l4['ICMPv4'], 'l4.ICMPv4'),
    ICMPv6: icmpOf(l4['ICMPv6'], 'l4.ICMPv6'),
  };
}

function portsOf(value: unknown, path: string): RecordedPorts | undefined {
  const ports = record(value, path);
  if (!ports) return undefined;
  const flags = record(ports['flags'], `${path}.flags`);
  return {
    source_port: whole(ports['source_port'] ?? ports['sourcePort'], `${path}.source_port`),
    destination_port: whole(ports['destination_port'] ?? ports['destinationPort'], `${path}.destination_port`),
    ...(flags && { flags: { SYN: flagOf(flags['SYN']), ACK: flagOf(flags['ACK']), RST: flagOf(flags['RST']) } }),
  };
}

function icmpOf(value: unknown, path: string): RecordedIcmp | undefined {
  const icmp = record(value, path);
  return icmp && { type: whole(icmp['type'], `${path}.type`), code: whole(icmp['code'], `${path}.code`) };
}

function layer7Of(l7: Raw): RecordedLayer7 {
  const http = record(l7['http'], 'l7.http');
  const dns = record(l7['dns'], 'l7.dns');
  const headers = http?.['headers'];
  if (headers != null && !Array.isArray(headers)) misfit('l7.http.headers', 'a list');
  return {
    type: named(l7['type'], L7_TYPES, 'l7.type'),
    ...(http && {
      http: {
        method: text(http['method'], 'l7.http.method'),
        url: text(http['url'], 'l7.http.url'),
        ...(headers != null && { headers: (headers as unknown[]).map(headerOf) }),
      },
    }),
    ...(dns && { dns: { query: text(dns['query'], 'l7.dns.query') } }),
  };
}

function headerOf(value: unknown): { readonly key: string; readonly value: string } {
  const header = record(value, 'l7.http.headers') ?? NOTHING;
  return { key: text(header['key'], 'l7.http.headers.key'), value: text(header['value'], 'l7.http.headers.value') };
}
