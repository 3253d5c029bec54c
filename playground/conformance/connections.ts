// From single flows to what one connection looks like, so that two recordings can be laid side by side.
import type { Heard, WireEnd, WireFlow } from './hear.ts';
import { NAMESPACE, VISITORS } from './script.ts';

/** What was told of one connection of one situation. */
export interface SeenConnection {
  /** `denied, two nodes`, `held-denied, broken, one node`. */
  readonly situation: string;
  readonly events: readonly SeenEvent[];
}

export interface SeenEvent {
  /** Everything that must be the same in both worlds, in one line. */
  readonly token: string;
  readonly at: number;
  readonly lagMs: number;
  readonly heard: Heard;
}

/** Node of each pod, by `namespace/name`. */
export type NodesOfPods = ReadonlyMap<string, string>;

export function connectionsOf(all: readonly Heard[], nodes: NodesOfPods): readonly SeenConnection[] {
  const byKey = new Map<string, Heard[]>();
  for (const heard of all) {
    const key = keyOf(heard.flow);
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), heard]);
  }
  return [...byKey.values()].flatMap((events) => connectionOf(events, nodes) ?? []);
}

function connectionOf(all: readonly Heard[], nodes: NodesOfPods): SeenConnection | undefined {
  const events = all.toSorted((one, other) => timeOf(one.flow) - timeOf(other.flow));
  const named = events.map(({ flow }) => clientOf(flow)).find((one) => one !== undefined);
  if (!named) return undefined;
  const { situation, isSource } = named;
  const server = events.map(({ flow }) => (isSource(flow) ? flow.destination : flow.source)).find((end) => end?.pod_name !== undefined);
  const [from, to] = [nodes.get(`${NAMESPACE}/${situation}`) ?? '', nodes.get(nameOf(server)) ?? ''];
  const place = from === '' || to === '' ? '' : from === to ? ', one node' : ', two nodes';
  const isDns = events.some(({ flow }) => portsOf(flow)?.includes(53));
  const isBroken = events.some(({ flow }) => flow.verdict === 'DROPPED') && events.some(({ flow }) => flow.trace_reason === 'REPLY');
  return {
    situation: `${situation}${isDns ? ', lookup' : ''}${isBroken && !isDns ? ', broken' : ''}${place}`,
    events: events.map((heard) => ({
      token: tokenOf(heard, { from, to, isOut: isSource(heard.flow) }),
      at: timeOf(heard.flow),
      lagMs: heard.arrived - timeOf(heard.flow),
      heard,
    })),
  };
}

function clientOf(flow: WireFlow): { readonly situation: string; readonly isSource: (flow: WireFlow) => boolean } | undefined {
  for (const end of [flow.source, flow.destination]) {
    if (end?.namespace === NAMESPACE && end.pod_name) {
      const name = end.pod_name;
      return { situation: name, isSource: ({ source }) => source?.namespace === NAMESPACE && source.pod_name === name };
    }
  }
  for (const address of [flow.IP?.source ?? '', flow.IP?.destination ?? '']) {
    const situation = VISITORS[address];
    if (situation !== undefined) return { situation, isSource: ({ IP }) => IP?.source === address };
  }
  return undefined;
}

interface Way {
  readonly from: string;
  readonly to: string;
  /** From the client to the server. */
  readonly isOut: boolean;
}

const KINDS: Readonly<Record<number, string>> = { 1: 'drop', 4: 'trace', 5: 'verdict', 129: 'l7' };

function tokenOf({ node, flow }: Heard, { from, to, isOut }: Way): string {
  const type = flow.event_type?.type ?? 0;
  const where = node === from ? (node === to ? 'the node' : "the client's") : node === to ? "the server's" : 'another';
  const parts = [
    KINDS[type] ?? `type ${type}`,
    flow.l7?.type ?? '',
    flow.verdict === 'FORWARDED' && type !== 5 ? '' : (flow.verdict ?? 'no verdict'),
    flow.trace_observation_point ?? '',
    flow.trace_reason ?? '',
    flow.traffic_direction ?? 'no direction',
    flow.drop_reason_desc === undefined || flow.drop_reason_desc === 'DROP_REASON_UNKNOWN' ? '' : flow.drop_reason_desc,
    type === 5 ? `match ${flow.policy_match_type ?? 0}` : '',
    flagsOf(flow),
    isOut ? 'out' : 'back',
    `at ${where}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** The first packets are told apart; how data and the end share packets is chance. */
function flagsOf({ l4, l7 }: WireFlow): string {
  const flags = l4?.['TCP']?.flags;
  if (!flags || l7) return '';
  if (flags['SYN']) return flags['ACK'] ? 'SYN,ACK' : 'SYN';
  return 'later';
}

function keyOf({ IP, l4 }: WireFlow): string | undefined {
  const [protocol = '', ports] = Object.entries(l4 ?? {})[0] ?? [];
  if (!IP || (protocol !== 'TCP' && protocol !== 'UDP')) return undefined;
  const ends = [`${IP.source}:${ports?.source_port ?? 0}`, `${IP.destination}:${ports?.destination_port ?? 0}`];
  return `${protocol} ${ends.toSorted().join()}`;
}

function portsOf({ l4 }: WireFlow): readonly number[] | undefined {
  const ports = l4?.['UDP'];
  return ports && [ports.source_port ?? 0, ports.destination_port ?? 0];
}

function nameOf(end: WireEnd | undefined): string {
  return `${end?.namespace}/${end?.pod_name}`;
}

export function timeOf({ time }: Pick<WireFlow, 'time'>): number {
  return time.seconds * 1_000 + (time.nanos ?? 0) / 1e6;
}
