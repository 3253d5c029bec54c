/** Security identities: one number for each distinct set of identity-relevant labels, as Cilium allocates them. */
import type { Pod } from './kube/types.ts';

// v1.20.2 pkg/labelsfilter/filter.go: the first pattern that fits the key decides, `true` keeps the label.
const patterns: readonly (readonly [RegExp, boolean])[] = [
  [/^io\.kubernetes\.pod\.namespace/, true],
  [/^io\.cilium\.k8s\.namespace\.labels/, true],
  [/^app\.kubernetes\.io/, true],
  [/^io\.cilium\.k8s\.policy\.cluster/, true],
  [/^io\.cilium\.k8s\.policy\.serviceaccount/, true],
  [/^io\.kubernetes/, false],
  [/^kubernetes\.io/, false],
  [/^statefulset\.kubernetes\.io\/pod-name/, false],
  [/^apps\.kubernetes\.io\/pod-index/, false],
  [/^batch\.kubernetes\.io\//, false],
  [/^.*beta\.kubernetes\.io/, false],
  [/^k8s\.io/, false],
  [/^pod-template-(generation|hash)/, false],
  [/^controller-(revision-hash|uid)/, false],
  [/^annotation.*/, false],
  [/^etcd_node/, false],
  [/^topology\.kubernetes\.io/, false],
];

const counts = (key: string): boolean => patterns.find(([pattern]) => pattern.test(key))?.[1] ?? true;

/** The labels of a pod's identity with their source, sorted: `k8s:app=backend`, …; `namespaceLabels` are those of its namespace. */
export function identityLabels(pod: Pod, namespaceLabels: Readonly<Record<string, string>>): readonly string[] {
  const all: Record<string, string> = {
    ...pod.metadata.labels,
    'io.kubernetes.pod.namespace': pod.metadata.namespace ?? '',
    'io.cilium.k8s.policy.cluster': 'default',
    'io.cilium.k8s.policy.serviceaccount': pod.spec.serviceAccountName ?? 'default',
  };
  for (const [name, value] of Object.entries(namespaceLabels)) all[`io.cilium.k8s.namespace.labels.${name}`] = value;
  const own = Object.entries(all)
    .filter(([key]) => counts(key))
    .map(([key, value]) => `k8s:${key}=${value}`);
  return [...own, ...namedPorts(pod)].toSorted();
}

/** Names of container ports are part of an identity, so that a pod that renames one gets another (v1.20.2 pkg/k8s/labels.go). */
function namedPorts({ spec }: Pod): readonly string[] {
  const named = spec.containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ name, containerPort, protocol = 'TCP' }) =>
      name === undefined ? [] : [{ name, text: `${name}.${protocol}.${containerPort}` }],
    );
  const value = named.toSorted((one, other) => one.name.localeCompare(other.name)).map(({ text }) => text);
  return value.length === 0 ? [] : [`gen:io.cilium.k8s.named-ports=${value.join('_')}`];
}

/** `security-labels` of a CiliumIdentity: key with source to value. */
export function securityLabels(labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(labels.map((label) => [label.slice(0, label.indexOf('=')), label.slice(label.indexOf('=') + 1)]));
}

export interface Identities {
  /** The number for a set of labels; the same set always gets the same number. */
  numberOf(labels: readonly string[]): number;
  /** Every set so far with its number. */
  all(): readonly { readonly id: number; readonly labels: readonly string[] }[];
  /** Takes over a number that exists in the cluster already. */
  adopt(id: number, labels: readonly string[]): void;
}

// Cluster-local identities start at 256 (the lower numbers are reserved); a visibly larger base reads like a cluster that has lived.
const firstIdentity = 10_001;

/** An allocator without any identity yet. */
export function createIdentities(): Identities {
  const byLabels = new Map<string, { readonly id: number; readonly labels: readonly string[] }>();
  let next = firstIdentity;
  const keyOf = (labels: readonly string[]): string => labels.join(';');
  return {
    numberOf: (labels) => {
      const known = byLabels.get(keyOf(labels));
      if (known) return known.id;
      const entry = { id: next, labels };
      next += 1;
      byLabels.set(keyOf(labels), entry);
      return entry.id;
    },
    all: () => [...byLabels.values()],
    adopt: (id, labels) => {
      byLabels.set(keyOf(labels), { id, labels });
      next = Math.max(next, id + 1);
    },
  };
}
