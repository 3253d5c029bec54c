import { OUTSIDE } from '../entities.ts';
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

/** The stable key of a group, as `--accept` and the buttons take it: `ingress/frontend/frontend/8080/TCP`. */
export function doubtKey({ direction, peer, port, protocol }: FlowGroup): string {
  return [direction, peer.name, port ?? '*', protocol].join('/');
}

/** The key that stands for all ports of a peer: a port scan is one question, not a thousand. */
export function anyPortKey({ direction, peer }: FlowGroup): string {
  return [direction, peer.name, '*', '*'].join('/');
}

/** Have people said that this group may be dropped? */
export function isAccepted(accepted: ReadonlySet<string>, group: FlowGroup): boolean {
  return accepted.has(doubtKey(group)) || accepted.has(anyPortKey(group));
}

/** `world to port 8080/TCP`, `to frontend/backend, port 5432/TCP`. */
export function groupWords({ direction, peer, port, protocol }: FlowGroup): string {
  const where = port === undefined ? protocol : `port ${port}/${protocol}`;
  return direction === 'ingress' ? `from ${peer.name} to ${where}` : `to ${peer.name}, ${where}`;
}
