import type { PolicyFlow } from '../../../src/domain/policy/flow.ts';
import { NAMESPACE } from './mesh.ts';

const SPACE = [`k8s:io.kubernetes.pod.namespace=${NAMESPACE}`, 'k8s:io.cilium.k8s.policy.cluster=default'];

/** Who talks to the workload, and to whom it talks. `pod`: which of its pods it is about. */
export interface Connection {
  readonly direction: 'ingress' | 'egress';
  readonly peer: readonly string[];
  readonly address: string;
  readonly port: number;
  readonly request?: { readonly method: string; readonly path: string };
}

const CHECKOUT = ['k8s:app=checkout', ...SPACE];
const DATABASE = ['k8s:app=database', ...SPACE];
export const WORLD: readonly string[] = ['reserved:world'];

/** What the rules of the candidates tell apart. */
export const CONNECTIONS: readonly Connection[] = [
  { direction: 'ingress', peer: CHECKOUT, address: '10.3.0.1', port: 8080, request: { method: 'GET', path: '/public/a' } },
  { direction: 'ingress', peer: CHECKOUT, address: '10.3.0.1', port: 9090 },
  { direction: 'ingress', peer: WORLD, address: '203.0.113.7', port: 8080, request: { method: 'GET', path: '/public/a' } },
  { direction: 'ingress', peer: WORLD, address: '203.0.113.7', port: 8080, request: { method: 'DELETE', path: '/admin' } },
  { direction: 'egress', peer: DATABASE, address: '10.3.0.9', port: 5432 },
  { direction: 'egress', peer: WORLD, address: '198.51.100.9', port: 443 },
];

/** Identity labels of a pod with these labels. */
export function identityOf(labels: Readonly<Record<string, string>>): readonly string[] {
  return [...Object.entries(labels).map(([key, value]) => `k8s:${key}=${value}`), ...SPACE];
}

/** A connection as the evaluator takes it; `labels`: the identity of the pod. */
export function flowOf(
  { direction, peer, address, port, request }: Connection,
  labels: readonly string[],
  withRequest = false,
): PolicyFlow {
  const own = { labels, ip: '10.4.0.1' };
  const other = { labels: peer, ip: address };
  const http = withRequest && request ? { http: { ...request, host: 'shop' } } : {};
  return {
    source: direction === 'ingress' ? other : own,
    destination: direction === 'ingress' ? own : other,
    protocol: 'TCP',
    destinationPort: port,
    ...http,
  };
}
