import { groupPeer } from '../dryrun/peer-name.ts';
import { isIcmp, type PolicyPeer } from '../flow.ts';
import type { Direction } from '../policy.ts';
import type { ReachChange } from './states.ts';

const MOST_GROUPS = 4;
const MOST_NAMES = 6;

/** `Ingress: from world, host to every port; from backend/backend to 8080/TCP.` One line for each direction; none for nothing. */
export function reachLines(changes: readonly ReachChange[]): readonly string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const groups = groupsOf(changes.filter((one) => one.direction === direction));
    if (groups.length === 0) return [];
    const shown = groups.slice(0, MOST_GROUPS).map(({ peers, ports }) => groupWords(direction, peers, ports));
    const left = groups.length - shown.length;
    const more = left > 0 ? `; and ${left} more ${left === 1 ? 'group' : 'groups'} of peers` : '';
    return [`${direction === 'ingress' ? 'Ingress' : 'Egress'}: ${shown.join('; ')}${more}.`];
  });
}

interface Group {
  readonly peers: readonly string[];
  readonly ports: readonly string[];
}

/** Peers to whom the same ports open, together. */
function groupsOf(changes: readonly ReachChange[]): readonly Group[] {
  const portsOf = new Map<string, Set<string>>();
  for (const change of changes) {
    const name = peerName(change);
    const ports = portsOf.get(name) ?? new Set<string>();
    ports.add(whatWords(change));
    portsOf.set(name, ports);
  }
  const groups = new Map<string, { readonly peers: string[]; readonly ports: readonly string[] }>();
  for (const [name, ports] of portsOf) {
    const shown = portWords([...ports]);
    const known = groups.get(shown.join());
    if (known) known.peers.push(name);
    else groups.set(shown.join(), { peers: [name], ports: shown });
  }
  return [...groups.values()];
}

/** Where all other ports open, the word stands last. */
function portWords(ports: readonly string[]): readonly string[] {
  const named = ports.filter((port) => port !== OTHER_PORTS).toSorted();
  return ports.includes(OTHER_PORTS) ? [...named, OTHER_PORTS] : named;
}

const OTHER_PORTS = 'every other port';

function whatWords({ what, rest }: ReachChange): string {
  if (rest.port !== 'named') return rest.port === 'all' ? 'every port' : OTHER_PORTS;
  const { protocol, destinationPort, icmpType, http, dns } = what;
  if (isIcmp(protocol)) return `${protocol === 'ICMP' ? 'ICMP' : 'ICMPv6'} ${icmpType ?? 0}`;
  const port = `${destinationPort ?? 0}/${protocol}`;
  if (http) return `${port} (${http.method} ${http.path})`;
  return dns ? `${port} (names such as ${dns.query.replace(/\.$/, '')})` : port;
}

/** A class of peers by what rules say of them. */
function peerName({ peer, rest }: ReachChange): string {
  if (rest.peer !== 'named') return rest.peer === 'all' ? 'everybody' : 'everybody else';
  if (peer.labels.includes('reserved:world')) return worldName(peer);
  return groupPeer(peer)
    .name.replace(/^any-other\//, 'other namespaces/')
    .replace(/\/(any-other|\*)$/, '/all pods');
}

/** An address stands for all that the same prefixes hold; one that no prefix holds is only outside. */
function worldName({ ip, fqdns }: PolicyPeer): string {
  const name = fqdns?.[0]?.replace(/\.$/, '') ?? (ip === undefined || ELSEWHERE.includes(ip) ? undefined : `addresses such as ${ip}`);
  return name === undefined ? 'world' : `world (${name})`;
}

/** Addresses that stand for no prefix at all (`addresses.ts`, `space.ts`). */
const ELSEWHERE: readonly string[] = ['203.0.113.254', '2001:db8:0:0:0:0:0:0', '198.18.0.1'];

function groupWords(direction: Direction, peers: readonly string[], ports: readonly string[]): string {
  const to = `${some(ports)}`;
  return direction === 'ingress' ? `from ${some(peers)} to ${to}` : `to ${some(peers)}, ${to}`;
}

function some(names: readonly string[]): string {
  return names.length <= MOST_NAMES ? names.join(', ') : `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`;
}
