import type { Decision } from '../../../src/domain/policy/decision.ts';
import { compilePolicies } from '../../../src/domain/policy/evaluator.ts';
import type { PolicyFlow, PolicyPeer, PolicyService } from '../../../src/domain/policy/flow.ts';
import { parsePolicy } from '../../../src/domain/policy/parse.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';

// Builders of a small cluster: namespaces front and back, addresses outside, nodes.

export function pod(namespace: string, app: string, more: readonly string[] = [], rest: Partial<PolicyPeer> = {}): PolicyPeer {
  const cluster = more.some((label) => label.includes('policy.cluster=')) ? [] : ['k8s:io.cilium.k8s.policy.cluster=default'];
  const labels = [`k8s:app=${app}`, `k8s:io.kubernetes.pod.namespace=${namespace}`, `k8s:io.cilium.k8s.namespace.labels.team=${namespace}`];
  return { labels: [...labels, ...cluster, ...more], ip: '10.0.0.5', ...rest };
}

export const client = pod('front', 'client');
export const server = pod('back', 'server', [], { namedPorts: [{ name: 'web', port: 8080, protocol: 'TCP' }] });
export const dns = pod('kube-system', 'kube-dns');
export const outside = (ip = '203.0.113.7', fqdns: readonly string[] = []): PolicyPeer => ({ labels: ['reserved:world'], ip, fqdns });
export function reserved(...names: readonly string[]): PolicyPeer {
  return {
    labels: names.map((name) => `reserved:${name}`),
    ip: '192.168.0.2',
  };
}

export function tcp(destinationPort: number, rest: Partial<PolicyFlow> = {}): Omit<PolicyFlow, 'source' | 'destination'> {
  return {
    protocol: 'TCP',
    destinationPort,
    ...rest,
  };
}
export const get = (path: string, rest: object = {}) => tcp(80, { http: { method: 'GET', path, host: 'server.back:80', ...rest } });
export const asks = (query: string) => ({ protocol: 'UDP', destinationPort: 53, dns: { query } }) as const;

/** A CiliumNetworkPolicy of namespace back for app=server, unless told otherwise. */
export function cnp(spec: object, metadata: object = { name: 'p', namespace: 'back' }): object {
  const selector = { endpointSelector: { matchLabels: { app: 'server' } } };
  return { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata, spec: { ...selector, ...spec } };
}

/** The same for the client, in namespace front. */
export function clientPolicy(spec: object): object {
  return cnp({ endpointSelector: { matchLabels: { app: 'client' } }, ...spec }, { name: 'c', namespace: 'front' });
}

export function ccnp(spec: object): object {
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumClusterwideNetworkPolicy',
    metadata: { name: 'w' },
    spec,
  };
}

export function valid(document: object): Policy {
  const parsed = parsePolicy(document);
  if (!parsed.ok) throw new Error(`not valid: ${parsed.error}`);
  return parsed.policy;
}

/** Why a policy is refused; undefined = it is not. */
export function refusal(document: unknown): string | undefined {
  const parsed = parsePolicy(document);
  return parsed.ok ? undefined : `${parsed.stage}: ${parsed.error}`;
}

export function evaluator(documents: readonly object[], services: readonly PolicyService[] = []) {
  return compilePolicies(documents.map(valid), { services });
}

export function decide(
  documents: readonly object[],
  source: PolicyPeer,
  destination: PolicyPeer,
  rest: Omit<PolicyFlow, 'source' | 'destination'> = tcp(80),
  services: readonly PolicyService[] = [],
): Decision {
  return evaluator(documents, services).decide({ source, destination, ...rest });
}

/** `allowed` or `denied`. */
export const verdict = (...question: Parameters<typeof decide>) => decide(...question).verdict;
