import { OUTSIDE } from '../entities.ts';
import type { PolicyPeer } from '../flow.ts';
import type { Direction } from '../policy.ts';

/** Who is at the other end, as far as people and the judge care. */
export interface Peer {
  /**
   * `cluster`: an endpoint of the mesh with a known identity, the nodes and the API server among them. `world`: an address outside.
   * `unknown`: the flow did not say enough.
   */
  readonly kind: 'cluster' | 'world' | 'unknown';
  /** `frontend/frontend`, `host`, `world`: stable over the pods of one workload. */
  readonly name: string;
}

/** One group of connections that people speak of: a peer, a direction, a port. */
export interface FlowGroup {
  readonly peer: Peer;
  readonly direction: Direction;
  readonly protocol: string;
  /** Absent for ICMP. */
  readonly port?: number | undefined;
  /** Of a peer outside: its name where that is known, else its address. */
  readonly where?: string | undefined;
  /** `DELETE /admin`, where the request is refused and not the connection. */
  readonly request?: string | undefined;
}

/** Labels that name a workload, the first that is there. */
const NAMES = ['app', 'app.kubernetes.io/name', 'k8s-app', 'name', 'app.kubernetes.io/instance'] as const;
const NAMESPACE = 'k8s:io.kubernetes.pod.namespace=';

/** The peer behind identity labels (`source:key=value`). Two pods of one workload are one peer; the cohort label changes nothing. */
export function peerOf(labels: readonly string[]): Peer {
  if (labels.length === 0) return { kind: 'unknown', name: 'unknown' };
  const reserved = labels.flatMap((label) => (label.startsWith('reserved:') ? label.slice('reserved:'.length) : []));
  if (OUTSIDE.some((name) => reserved.includes(name)) || labels.some((label) => label.startsWith('cidr:')))
    return reserved.includes('kube-apiserver') ? { kind: 'cluster', name: 'kube-apiserver' } : { kind: 'world', name: 'world' };
  const [first] = reserved.filter((name) => !name.startsWith('io.cilium')).toSorted();
  if (first !== undefined)
    return first === 'unknown' || first === 'init' || first === 'unmanaged'
      ? { kind: 'unknown', name: first }
      : { kind: 'cluster', name: first };
  const namespace = labels.find((label) => label.startsWith(NAMESPACE))?.slice(NAMESPACE.length) ?? '';
  const value = (key: string): string | undefined => labels.find((label) => label.startsWith(`k8s:${key}=`))?.slice(key.length + 5);
  const name = NAMES.map(value).find((found) => found !== undefined && found !== '');
  return name === undefined && namespace === ''
    ? { kind: 'unknown', name: 'unknown' }
    : { kind: 'cluster', name: `${namespace}/${name ?? '*'}` };
}

/** Name or address of a peer outside; undefined for every other. */
export function whereOf({ labels, fqdns, ip }: PolicyPeer): string | undefined {
  if (peerOf(labels).kind === 'cluster') return undefined;
  return fqdns?.[0]?.replace(/\.$/, '') ?? ip;
}

/** Method and path of a request, without what may hold a secret. */
export function requestOf(request: string | undefined): string | undefined {
  return request?.split('?')[0];
}

const LONGEST_REQUEST = 120;

/**
 * The stable key of a group, as `--accept` and the buttons take it: `ingress/frontend/frontend/8080/TCP`, `egress/world:203.0.113.9/443/TCP`,
 * `ingress/external/external/8080/TCP#DELETE:/admin`. Never with a blank or a comma.
 */
export function doubtKey(group: FlowGroup): string {
  const { direction, port, protocol, request } = group;
  const asked = request === undefined ? '' : `#${safe(request.slice(0, LONGEST_REQUEST).replace(' ', ':'))}`;
  return `${[direction, peerKey(group), port ?? '*', protocol].join('/')}${asked}`;
}

function peerKey({ peer, where }: FlowGroup): string {
  return where === undefined ? peer.name : `${peer.name}:${safe(where)}`;
}

function safe(text: string): string {
  return text.replaceAll(/[\s,`]/g, (char) => encodeURIComponent(char));
}

/** The key that stands for all ports of a peer: a port scan is one question, not a thousand. */
export function anyPortKey(group: FlowGroup): string {
  return [group.direction, peerKey(group), '*', '*'].join('/');
}

/** The key that stands for every address outside at this port. */
export function anyAddressKey(group: FlowGroup): string {
  return doubtKey({ ...group, where: undefined });
}

/**
 * The keys that speak of this group: the group itself; its connection, where a request is refused; all ports of the peer; and,
 * where that was said, every address outside.
 */
export function keysOf(group: FlowGroup): readonly string[] {
  const anywhere = { ...group, where: undefined };
  const wider = [group, { ...group, request: undefined }, anywhere, { ...anywhere, request: undefined }].map(doubtKey);
  return [...new Set([...wider, anyPortKey(group), anyPortKey(anywhere)])];
}

/** The accepted keys that speak of this group, the narrowest first. */
export function acceptedKeys(accepted: ReadonlySet<string>, group: FlowGroup): readonly string[] {
  return keysOf(group).filter((key) => accepted.has(key));
}

/** `world to port 8080/TCP`, `to frontend/backend, port 5432/TCP`. */
export function groupWords({ direction, peer, port, protocol, where, request }: FlowGroup): string {
  const at = port === undefined ? protocol : `port ${port}/${protocol}`;
  const who = where ?? peer.name;
  const asked = request === undefined ? '' : `, ${request}`;
  return direction === 'ingress' ? `from ${who} to ${at}${asked}` : `to ${who}, ${at}${asked}`;
}
