/**
 * Hubble's flow filters: any of the list must match, and in one filter every field that is set; in one field any value may (v1.20.2
 * pkg/hubble/filters). Filters over L7 regular expressions, FQDN and CEL are not part of our proto.
 */
import { BlockList } from 'node:net';
import { eventTypes, type Flow, type FlowEndpoint } from './flow.ts';
import { labelSelector } from './selector.ts';

/** flow.FlowFilter as decoded: every list is there, unset ones empty. */
export interface FlowFilter {
  readonly uuid: readonly string[];
  readonly source_ip: readonly string[];
  readonly destination_ip: readonly string[];
  readonly source_pod: readonly string[];
  readonly destination_pod: readonly string[];
  readonly source_label: readonly string[];
  readonly destination_label: readonly string[];
  readonly source_service: readonly string[];
  readonly destination_service: readonly string[];
  readonly source_workload: readonly Workload[];
  readonly destination_workload: readonly Workload[];
  readonly source_identity: readonly number[];
  readonly destination_identity: readonly number[];
  readonly source_port: readonly string[];
  readonly destination_port: readonly string[];
  readonly verdict: readonly string[];
  readonly drop_reason_desc: readonly string[];
  readonly event_type: readonly { readonly type: number; readonly match_sub_type: boolean; readonly sub_type: number }[];
  readonly http_status_code: readonly string[];
  readonly http_method: readonly string[];
  readonly protocol: readonly string[];
  readonly reply: readonly boolean[];
  readonly node_name: readonly string[];
  readonly traffic_direction: readonly string[];
  readonly encrypted: readonly boolean[];
  readonly tcp_flags: readonly TcpFlags[];
}

type TcpFlags = Readonly<Partial<Record<'SYN' | 'ACK' | 'RST' | 'FIN' | 'PSH', boolean>>>;

interface Workload {
  readonly name: string;
  readonly kind: string;
}

export type FlowTest = (flow: Flow) => boolean;

/** A filter that an agent refuses (gRPC INVALID_ARGUMENT). */
export class FilterError extends Error {
  override readonly name = 'FilterError' as const;
}

function named(
  wanted: readonly string[],
  of: (flow: Flow) => { readonly namespace?: string | undefined; readonly name?: string | undefined },
): FlowTest {
  const parsed = wanted.map((text) => {
    if (text === '') throw new FilterError('invalid filter, name must not be empty');
    const slash = text.indexOf('/');
    return slash === -1 ? { namespace: 'default', prefix: text } : { namespace: text.slice(0, slash), prefix: text.slice(slash + 1) };
  });
  return (flow) => {
    const { namespace = '', name = '' } = of(flow);
    if (namespace === '' && name === '') return false;
    return parsed.some((want) => name.startsWith(want.prefix) && (want.namespace === '' || want.namespace === namespace));
  };
}

const podOf = (endpoint: FlowEndpoint) => ({ namespace: endpoint.namespace, name: endpoint.pod_name });

function address(wanted: readonly string[], of: (flow: Flow) => string): FlowTest {
  const ranges = new BlockList();
  for (const text of wanted) {
    const [net = '', bits] = text.split('/');
    try {
      if (bits === undefined) ranges.addAddress(net, net.includes(':') ? 'ipv6' : 'ipv4');
      else ranges.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4');
    } catch {
      throw new FilterError(`invalid IP address "${text}" in filter`);
    }
  }
  return (flow) => of(flow) !== '' && ranges.check(of(flow), of(flow).includes(':') ? 'ipv6' : 'ipv4');
}

function labels(wanted: readonly string[], of: (flow: Flow) => readonly string[]): FlowTest {
  const tests = wanted.map((selector) => {
    try {
      return labelSelector(selector);
    } catch (error) {
      throw new FilterError(error instanceof Error ? error.message : String(error));
    }
  });
  return (flow) => tests.some((test) => test(of(flow)));
}

function workloads(wanted: readonly Workload[], of: (flow: Flow) => FlowEndpoint): FlowTest {
  return (flow) =>
    (of(flow).workloads ?? []).some((has) =>
      wanted.some((want) => (want.name === '' || want.name === has.name) && (want.kind === '' || want.kind === has.kind)),
    );
}

function ports(wanted: readonly string[], side: 'source_port' | 'destination_port'): FlowTest {
  if (wanted.some((text) => !/^\d+$/.test(text) || Number(text) > 65_535)) throw new FilterError(`invalid port in ${wanted.join(', ')}`);
  return (flow) => wanted.includes(String((flow.l4.TCP ?? flow.l4.UDP)?.[side]));
}

function statusCodes(wanted: readonly string[], events: FlowFilter['event_type']): FlowTest {
  if (events.length > 0 && !events.some((event) => event.type === eventTypes.accessLog))
    throw new FilterError('filtering by http status code requires the event type filter to include "l7"');
  if (wanted.some((text) => !/^[1-5]([0-9]{2}|[0-9]?\+)$/.test(text)))
    throw new FilterError(`invalid status code prefix: ${wanted.join(', ')}`);
  return (flow) => {
    const code = flow.l7?.http?.code ?? 0;
    if (code === 0) return false;
    return wanted.some((text) => (text.endsWith('+') ? String(code).startsWith(text.slice(0, -1)) : String(code) === text));
  };
}

function protocols(wanted: readonly string[]): FlowTest {
  const known = ['tcp', 'udp', 'sctp', 'icmp', 'icmpv4', 'icmpv6', 'http', 'dns'];
  const names = wanted.map((name) => name.toLowerCase());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new FilterError(`unknown protocol: "${unknown}"`);
  return (flow) =>
    (names.includes('tcp') && flow.l4.TCP !== undefined) ||
    (names.includes('udp') && flow.l4.UDP !== undefined) ||
    (names.includes('http') && flow.l7?.http !== undefined) ||
    (names.includes('dns') && flow.l7?.dns !== undefined);
}

function nodeNames(wanted: readonly string[]): FlowTest {
  const patterns = wanted.map((text) => {
    const pattern = text.includes('/') ? text : `*/${text}`;
    const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[-.0-9a-z]*');
    return new RegExp(`^${escaped}${pattern.endsWith('/') ? '.*' : ''}$`);
  });
  return (flow) => {
    const name = flow.node_name.includes('/') ? flow.node_name : `default/${flow.node_name}`;
    return patterns.some((pattern) => pattern.test(name));
  };
}

function eventTest(wanted: FlowFilter['event_type']): FlowTest {
  return (flow) =>
    wanted.some(
      (want) =>
        (want.type === 0 || want.type === flow.event_type.type) &&
        (!want.match_sub_type || want.sub_type === (flow.event_type.sub_type ?? 0)),
    );
}

/** All flags of one entry; others may be set as well. */
function tcpFlags(wanted: readonly TcpFlags[]): FlowTest {
  return ({ l4: { TCP } }) =>
    TCP?.flags !== undefined &&
    wanted.some((want) => (['SYN', 'ACK', 'RST', 'FIN', 'PSH'] as const).every((flag) => !want[flag] || TCP.flags?.[flag] === true));
}

/** One filter as one test. */
export function flowTest(filter: FlowFilter): FlowTest {
  const tests: FlowTest[] = [];
  const when = <T>(list: readonly T[], test: (list: readonly T[]) => FlowTest): void => {
    if (list.length > 0) tests.push(test(list));
  };
  when(filter.uuid, (list) => (flow) => list.includes(flow.uuid));
  when(filter.source_ip, (list) => address(list, (flow) => flow.IP.source));
  when(filter.destination_ip, (list) => address(list, (flow) => flow.IP.destination));
  when(filter.source_pod, (list) => named(list, (flow) => podOf(flow.source)));
  when(filter.destination_pod, (list) => named(list, (flow) => podOf(flow.destination)));
  when(filter.source_label, (list) => labels(list, (flow) => flow.source.labels));
  when(filter.destination_label, (list) => labels(list, (flow) => flow.destination.labels));
  when(filter.source_service, (list) => named(list, (flow) => flow.source_service ?? {}));
  when(filter.destination_service, (list) => named(list, (flow) => flow.destination_service ?? {}));
  when(filter.source_workload, (list) => workloads(list, (flow) => flow.source));
  when(filter.destination_workload, (list) => workloads(list, (flow) => flow.destination));
  when(filter.source_identity, (list) => (flow) => list.includes(flow.source.identity));
  when(filter.destination_identity, (list) => (flow) => list.includes(flow.destination.identity));
  when(filter.source_port, (list) => ports(list, 'source_port'));
  when(filter.destination_port, (list) => ports(list, 'destination_port'));
  when(filter.verdict, (list) => (flow) => list.includes(flow.verdict));
  when(filter.drop_reason_desc, (list) => (flow) => flow.verdict === 'DROPPED' && list.includes(flow.drop_reason_desc ?? ''));
  when(filter.event_type, eventTest);
  when(filter.http_status_code, (list) => statusCodes(list, filter.event_type));
  when(filter.http_method, (list) => (flow) => list.some((method) => method.toUpperCase() === flow.l7?.http?.method));
  when(filter.protocol, protocols);
  when(
    filter.reply,
    (list) => (flow) => (flow.is_reply !== undefined || flow.verdict === 'DROPPED') && list.includes(flow.is_reply?.value ?? false),
  );
  when(filter.node_name, nodeNames);
  when(filter.traffic_direction, (list) => (flow) => list.includes(flow.traffic_direction));
  when(filter.tcp_flags, tcpFlags);
  when(filter.encrypted, (list) => (flow) => list.includes(flow.IP.encrypted ?? false));
  return (flow) => tests.every((test) => test(flow));
}

/** White and black list together, as GetFlows applies them. */
export function flowFilter(whitelist: readonly FlowFilter[], blacklist: readonly FlowFilter[]): FlowTest {
  const wanted = whitelist.map(flowTest);
  const unwanted = blacklist.map(flowTest);
  return (flow) => (wanted.length === 0 || wanted.some((test) => test(flow))) && !unwanted.some((test) => test(flow));
}
