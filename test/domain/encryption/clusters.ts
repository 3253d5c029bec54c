import type { EncryptionFacts, NodeFacts } from '../../../src/domain/encryption/facts.ts';

export const NOW = Date.parse('2026-11-29T12:00:00Z');
export const HOUR = 3_600_000;
const IMAGE = 'quay.io/cilium/cilium:v1.20.2@sha256:00aa';

/** A node whose agent has run for an hour, without encryption. */
export function node(name: string, changes: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    labels: { 'kubernetes.io/hostname': name },
    ready: true,
    kernel: '6.1.0',
    agent: { pod: `cilium-${name}`, ready: true, image: IMAGE, startedAt: NOW - HOUR },
    key: 0,
    endpoints: { 0: 5 },
    podsSince: [],
    ...changes,
  };
}

/** One whose agent has published a key, which all its pods carry. */
export function encrypted(name: string, changes: Partial<NodeFacts> = {}): NodeFacts {
  return node(name, { publicKey: `key of ${name}`, key: 255, endpoints: { 255: 5 }, ...changes });
}

export function cluster(nodes: readonly NodeFacts[], changes: Partial<EncryptionFacts> = {}): EncryptionFacts {
  return {
    cluster: 'demo',
    namespace: 'kube-system',
    readAt: NOW,
    config: { 'routing-mode': 'native', 'cluster-id': '0' },
    writers: {},
    overrides: [],
    agents: { image: IMAGE, mountsKeys: false, readsOverrides: true, denied: [] },
    nodes,
    unread: [],
    ...changes,
  };
}

export const ON = { 'routing-mode': 'native', 'cluster-id': '0', 'enable-wireguard': 'true' } as const;
export const ON_TUNNEL = { ...ON, 'routing-mode': 'tunnel' } as const;
