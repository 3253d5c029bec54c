import { FLOW_PROTOCOLS, type FlowProtocol, isIcmp, type NamedPort, type PolicyPeer } from '../flow.ts';
import type { Identity } from '../identity.ts';
import type { Direction, HttpRule, L7Match, PeerSelector } from '../policy.ts';
import { type CompiledRule, covers, matchesPeer, PROTOCOL_BITS } from '../rules.ts';
import { addressClasses } from './addresses.ts';
import { podClasses } from './labels.ts';
import { nameClasses, requestClasses, requestOf } from './requests.ts';
import { namedPortsFor, type States, type What, type Whats } from './states.ts';

const MOST_PODS = 2_000;
const LAST_PORT = 0xffff;
const MANY_NAMES = 40;
const RESERVED: readonly (readonly string[])[] = [
  ['reserved:host'],
  ['reserved:remote-node'],
  ['reserved:kube-apiserver', 'reserved:remote-node'],
  ['reserved:kube-apiserver', 'reserved:world'],
  ['reserved:ingress'],
  ['reserved:health'],
  ['reserved:init'],
  ['reserved:unmanaged'],
];

export interface Space {
  readonly peers: readonly Identity[];
  readonly whats: readonly What[];
  /** Too many classes: some are missing, so what is found in it is true and what is not found proves nothing. */
  readonly cut: boolean;
}

/** Everything that these rules of one side tell apart: peers, ports, requests. One of each kind. */
export function spaceOf(
  states: States,
  rules: readonly CompiledRule[],
  subject: Identity,
  direction: Direction,
  clusterName: string,
): Space {
  const peers = peersOf(states, rules, direction, clusterName);
  const named = direction === 'ingress' ? subject.namedPorts : namedPortsFor(rules);
  const whats = whatsOf(states, rules, named, direction);
  return { peers: peers.peers, whats: whats.whats, cut: peers.cut || whats.cut };
}

/** Pods, reserved identities and addresses that the rules' peers tell apart. */
function peersOf(states: States, rules: readonly CompiledRule[], direction: Direction, clusterName: string): Pick<Space, 'peers' | 'cut'> {
  const namedPorts = namedPortsFor(rules);
  const places = new Set(rules.flatMap(({ peers }) => peers.labels));
  const pods = podClasses(
    [...places].map((place) => states.requirements(place)),
    clusterName,
    MOST_PODS,
  );
  const prefixes = rules.flatMap(({ peers }) => peers.cidrs.flatMap(({ prefix, except }) => [prefix, ...except]));
  const { names, cut } = outsideNames(rules, direction);
  const reserved = RESERVED.map((labels): PolicyPeer => ({ labels, ...(labels.includes('reserved:world') ? { ip: '198.18.0.1' } : {}) }));
  const world = addressClasses(prefixes).flatMap((ip, index) =>
    names.filter((fqdns) => index === 0 || fqdns.length < 2).map((fqdns): PolicyPeer => ({ labels: ['reserved:world'], ip, fqdns })),
  );
  const all = [...pods.members.map((labels): PolicyPeer => ({ labels, ip: '10.0.0.9', namedPorts })), ...reserved, ...world];
  const found = new Map<string, Identity>();
  for (const peer of all) {
    const identity = states.identity(peer);
    const matching = rules.map(({ peers }) => (matchesPeer(peers, identity, states.table) ? 1 : 0)).join('');
    const key = `${matching} ${identity.labels.isHost} ${identity.namedPorts.length > 0}`;
    if (!found.has(key)) found.set(key, identity);
  }
  return { peers: [...found.values()], cut: cut || pods.cut };
}

/** Names behind one address: none, each, and each two of them, since an address may have several. */
function outsideNames(
  rules: readonly CompiledRule[],
  direction: Direction,
): { readonly names: readonly (readonly string[])[]; readonly cut: boolean } {
  const entries = rules.flatMap(({ rule }) =>
    rule.peers.selectors.filter((one): one is Extract<PeerSelector, { kind: 'fqdn' }> => one.kind === 'fqdn'),
  );
  if (direction === 'ingress' || entries.length === 0) return { names: [[]], cut: false };
  const { names, cut } = nameClasses(entries);
  const pairs = names.length > MANY_NAMES ? [] : names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other]));
  return { names: [[], ...names.map((name) => [name]), ...pairs], cut: cut || names.length > MANY_NAMES };
}

/** Ports of every protocol, types of ICMP, and for ports of a proxy the requests and queries that its rules tell apart. */
export function whatsOf(states: States, rules: readonly CompiledRule[], named: readonly NamedPort[], direction: Direction): Whats {
  const key = `${direction} ${named.length} ${rules.map(({ order }) => order).join()}`;
  const whats = states.whats.get(key) ?? findWhats(rules, named, direction);
  states.whats.set(key, whats);
  return whats;
}

function findWhats(rules: readonly CompiledRule[], named: readonly NamedPort[], direction: Direction): Whats {
  const isIngress = direction === 'ingress';
  const entries = rules.flatMap(({ ports, rule }) => ports.map((port, index) => ({ port, l7: rule.ports?.[index]?.l7 ?? null })));
  const bounds = entries.flatMap(({ port }) =>
    port.name === undefined
      ? [port.from, port.to, port.from - 1, port.to + 1]
      : named.filter(({ name }) => name === port.name).flatMap((one) => [one.port, one.port - 1, one.port + 1, port.to, port.to + 1]),
  );
  const ports = [...new Set([...bounds, 39_999])].filter((port) => port >= 1 && port <= LAST_PORT);
  const types = [...new Set([...bounds, 8, 200])].filter((type) => type >= 1 && type <= 0xff);
  const whats: What[] = [];
  let cut = false;
  for (const protocol of FLOW_PROTOCOLS) {
    const seen = new Set<string>();
    for (const number of isIcmp(protocol) ? types : ports) {
      const covering = entries.map(({ port }) => covers(port, PROTOCOL_BITS[protocol], number, named, isIngress));
      const key = covering.map(Number).join('');
      if (seen.has(key)) continue;
      seen.add(key);
      const asked = asks(entries.flatMap(({ l7 }, index) => (covering[index] && l7 ? [l7] : [])));
      cut ||= asked.cut;
      whats.push(...asked.parts.map((part) => ({ ...base(protocol, number), ...part })));
    }
  }
  return { whats, cut };
}

function base(protocol: FlowProtocol, number: number): What {
  return isIcmp(protocol) ? { protocol, icmpType: number } : { protocol, destinationPort: number };
}

/** What can be asked over a connection that goes through a proxy; a connection without it is one thing. */
function asks(l7: readonly L7Match[]): { readonly parts: readonly Partial<What>[]; readonly cut: boolean } {
  const http = l7.flatMap((one): readonly HttpRule[] => (one.kind === 'http' ? one.rules : []));
  const dns = l7.flatMap((one) => (one.kind === 'dns' ? one.rules : []));
  if (l7.length === 0) return { parts: [{}], cut: false };
  const requests = http.length > 0 ? requestClasses(http) : { members: [], cut: false };
  const queries = dns.length > 0 ? nameClasses(dns) : { names: [], cut: false };
  const parts = [
    ...requests.members.map((one) => ({ http: requestOf(one) })),
    ...[...queries.names, ...(dns.length > 0 ? ['unrelated.invalid.'] : [])].map((query) => ({ dns: { query } })),
  ];
  return { parts, cut: requests.cut || queries.cut };
}
