import type { Json, JsonObject } from '../../json.ts';
import type { Direction } from '../policy.ts';
import type { LearnedPeer } from './peer.ts';

/** What one peer did in one direction. */
export interface LearnedRule {
  readonly direction: Direction;
  readonly peer: LearnedPeer;
  readonly count: number;
  /** `8080/TCP`, `8/ICMPv4`: connections. */
  readonly ports: Map<string, number>;
  /** Those of them that are DNS. */
  readonly dns: ReadonlySet<string>;
}

interface Entries {
  readonly entries: readonly JsonObject[];
  /** What stands above each entry. */
  readonly words: readonly string[];
}

/** Single addresses beyond this many are no list that people read. */
const MOST_ADDRESSES = 20;
/** Any name may be asked for: which ones are reached is what the other rules say. */
const DNS_RULES: JsonObject = { dns: [{ matchPattern: '*' }] };

/** The entries of `ingress` or `egress`: one for each peer, addresses with the same ports together, the busiest first. */
export function rulesDocument(rules: readonly LearnedRule[]): Entries {
  const addresses = rules.filter(({ peer }) => peer.selects.kind === 'address');
  const others = rules.filter(({ peer }) => peer.selects.kind !== 'address');
  const needsDns = rules.some(({ peer }) => peer.selects.kind === 'name') && !rules.some(asksDns);
  const entries = [
    ...[...others].toSorted(byCount).flatMap((rule) => entriesOf(rule.direction, [rule], peerMember(rule.direction, rule.peer))),
    ...addressEntries(addresses),
    ...(needsDns ? [CLUSTER_DNS] : []),
  ];
  return { entries: entries.map(({ entry }) => entry), words: entries.map(({ words }) => words) };
}

interface Entry {
  readonly entry: JsonObject;
  readonly words: string;
}

/** Names are learned from DNS answers that pass the proxy; without this rule `toFQDNs` would match nothing. */
const CLUSTER_DNS: Entry = {
  entry: {
    toEndpoints: [{ matchLabels: { 'k8s-app': 'kube-dns', 'k8s:io.kubernetes.pod.namespace': 'kube-system' } }],
    toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: DNS_RULES }],
  },
  words: 'not seen, but needed: names are learned from DNS answers',
};

function asksDns({ direction, dns }: LearnedRule): boolean {
  return direction === 'egress' && dns.size > 0;
}

function byCount(a: LearnedRule, b: LearnedRule): number {
  return b.count - a.count || a.peer.key.localeCompare(b.peer.key);
}

function addressEntries(rules: readonly LearnedRule[]): readonly Entry[] {
  const [first] = rules;
  if (!first) return [];
  if (rules.length > MOST_ADDRESSES) return entriesOf(first.direction, rules, { toEntities: ['world'] });
  const byPorts = Map.groupBy(rules, ({ ports }) => [...ports.keys()].toSorted().join(' '));
  return [...byPorts.values()].flatMap((group) => {
    const cidrs = group.map(({ peer }) => (peer.selects.kind === 'address' ? peer.selects.cidr : '')).toSorted();
    return entriesOf(first.direction, group, { toCIDR: cidrs });
  });
}

function peerMember(direction: Direction, { selects }: LearnedPeer): JsonObject {
  const from = direction === 'ingress';
  switch (selects.kind) {
    case 'endpoints':
      return { [from ? 'fromEndpoints' : 'toEndpoints']: [selectorOf(selects)] };
    case 'entity':
      return { [from ? 'fromEntities' : 'toEntities']: [selects.entity] };
    case 'name':
      return { toFQDNs: [{ matchName: selects.name }] };
    case 'address':
      return { [from ? 'fromCIDR' : 'toCIDR']: [selects.cidr] };
    default:
      return selects satisfies never;
  }
}

function selectorOf({ matchLabels, exists }: Extract<LearnedPeer['selects'], { kind: 'endpoints' }>): JsonObject {
  return exists === undefined ? { matchLabels } : { matchLabels, matchExpressions: [{ key: exists, operator: 'Exists' }] };
}

/** ICMP and ports cannot stand in one entry; DNS goes through the proxy, other ports do not. */
function entriesOf(direction: Direction, rules: readonly LearnedRule[], peers: JsonObject): readonly Entry[] {
  const ports = new Map<string, number>();
  for (const rule of rules) for (const [port, count] of rule.ports) ports.set(port, (ports.get(port) ?? 0) + count);
  const all = [...ports.keys()].toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b));
  const icmp = all.filter((port) => port.includes('ICMP'));
  const dns = all.filter((port) => direction === 'egress' && rules.some((rule) => rule.dns.has(port)));
  const plain = all.filter((port) => !icmp.includes(port) && !dns.includes(port));
  const toPorts: Json[] = [
    ...chunks(plain, 40).map((some) => ({ ports: some.map(portOf) })),
    ...(dns.length > 0 ? [{ ports: dnsPorts(dns), rules: DNS_RULES }] : []),
  ];
  const names = rules.length > 3 ? `${rules.length} addresses` : rules.map(({ peer }) => peer.name).join(', ');
  const counted = (some: readonly string[]) =>
    `${names}: ${some
      .slice(0, 6)
      .map((port) => `${ports.get(port)} to ${port}`)
      .join(', ')}${some.length > 6 ? ` and ${some.length - 6} more ports` : ''}`;
  return [
    ...(toPorts.length > 0 ? [{ entry: { ...peers, toPorts }, words: counted([...plain, ...dns]) }] : []),
    ...chunks(icmp, 40).map((some) => ({ entry: { ...peers, icmps: [{ fields: some.map(icmpOf) }] }, words: counted(some) })),
  ];
}

/** A long answer is asked for again over TCP, at the same port. */
function dnsPorts(ports: readonly string[]): readonly JsonObject[] {
  return [...new Set(ports.map((port) => port.split('/')[0] ?? ''))].map((port) => ({ port, protocol: 'ANY' }));
}

function portOf(text: string): JsonObject {
  const [port = '', protocol = ''] = text.split('/');
  return { port, protocol };
}

function icmpOf(text: string): JsonObject {
  const [type = '', family = ''] = text.split('/');
  return { type: Number(type), family: family === 'ICMPv6' ? 'IPv6' : 'IPv4' };
}

/** Cilium takes at most 40 ports, and 40 ICMP types, in one list. */
function chunks(list: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}
