// What `hubble observe` prints for people. It names pods and numbers of identities, but no labels, and policies decide by labels.
import type { ReadFlow, RecordedEnd, RecordedFlow } from '../../domain/policy/dryrun/recorded.ts';

const LINE =
  /^(?:(?<time>[A-Z][a-z]{2} +\d+ [\d:.]+|\d{4}-\S+?)(?: \[[^\]]*\])?: +)?(?<left>\S+) \((?<leftId>[^)]*)\) (?<arrow>->|<-|<>) (?<right>\S+) \((?<rightId>[^)]*)\) (?<rest>.*)$/;
const RESERVED: Readonly<Record<string, number>> = {
  host: 1,
  world: 2,
  unmanaged: 3,
  health: 4,
  init: 5,
  'remote-node': 6,
  'kube-apiserver': 7,
  ingress: 8,
  'world-ipv4': 9,
  'world-ipv6': 10,
};

/** One line of `hubble observe` (compact output). Total: any other text is said to be none. */
export function readCompactLine(line: string): ReadFlow {
  const parts = LINE.exec(line.trim())?.groups;
  if (!parts) return { kind: 'unreadable', words: 'it is neither JSON nor a line of hubble observe' };
  const { time = '', left = '', right = '', leftId = '', rightId = '', arrow, rest = '' } = parts;
  const ends = [endOf(left, leftId), endOf(right, rightId)] as const;
  const [source, destination] = arrow === '<-' ? [ends[1], ends[0]] : ends;
  const protocol = /\b(TCP|UDP|SCTP|ICMPv4|ICMPv6)\b/.exec(rest)?.[1] ?? 'TCP';
  const direction = /\b(INGRESS|EGRESS)\b/.exec(rest)?.[1] ?? '';
  const event = eventOf(rest);
  const flow: RecordedFlow = {
    time: Date.parse(time),
    uuid: '',
    verdict: /\b(DROPPED|DENIED|AUDIT|REDIRECTED|ERROR)\b/.test(rest) ? denied(rest) : 'FORWARDED',
    drop_reason_desc: /denied/i.test(rest) && event.type === 1 ? 'POLICY_DENIED' : '',
    IP: { source: source.ip, destination: destination.ip },
    l4: layer4Of(protocol, source.port, destination.port, rest),
    source: source.end,
    destination: destination.end,
    l7: undefined,
    event_type: event,
    traffic_direction: direction,
    trace_observation_point: /\bto-endpoint\b/.test(rest) ? 'TO_ENDPOINT' : /\bfrom-/.test(rest) ? 'FROM_ENDPOINT' : '',
    trace_reason: '',
    is_reply: arrow === '<-' ? true : arrow === '->' ? false : undefined,
    destination_names: [],
    source_names: [],
  };
  return { kind: 'flow', flow };
}

function denied(rest: string): string {
  if (/\b(DROPPED|DENIED)\b/.test(rest)) return 'DROPPED';
  return /\b(AUDIT|REDIRECTED|ERROR)\b/.exec(rest)?.[1] ?? 'FORWARDED';
}

function eventOf(rest: string): { readonly type: number } {
  if (rest.includes('policy-verdict')) return { type: 5 };
  if (/\b(http|dns)-(request|response)\b/.test(rest)) return { type: 129 };
  return { type: /\bDROPPED\b/.test(rest) ? 1 : 4 };
}

function layer4Of(protocol: string, from: number, to: number, rest: string): RecordedFlow['l4'] {
  if (protocol.startsWith('ICMP'))
    return { [protocol]: { type: /EchoRequest/.test(rest) ? (protocol === 'ICMPv6' ? 128 : 8) : 0, code: 0 } };
  const flags = /TCP Flags: ([A-Z, ]+)/.exec(rest)?.[1] ?? '';
  const said = protocol === 'TCP' && flags !== '' ? { flags: { SYN: flags.includes('SYN'), ACK: flags.includes('ACK') } } : {};
  return { [protocol]: { source_port: from, destination_port: to, ...said } };
}

/** `shop/web-1:40080 (ID:4097)`, `203.0.113.9:443 (world)`, `[fd00::1]:443 (host)`. */
function endOf(text: string, id: string): { readonly end: RecordedEnd; readonly ip: string; readonly port: number } {
  const [, name = text, port = '0'] = /^(.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const [namespace, pod] = name.includes('/') ? name.split('/') : [undefined, undefined];
  const reserved = id.split(',').map((one) => one.replace(/^reserved:/, '').trim());
  const identity = Number(/ID:(\d+)/.exec(id)?.[1] ?? RESERVED[reserved[0] ?? ''] ?? 0);
  const labels = reserved.filter((one) => Object.hasOwn(RESERVED, one)).map((one) => `reserved:${one}`);
  return {
    end: { identity, namespace: namespace ?? '', labels, pod_name: pod ?? '' },
    ip: pod === undefined ? name.replace(/^\[(.*)\]$/, '$1') : '',
    port: Number(port),
  };
}
