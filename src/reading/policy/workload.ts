import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, type CiliumEndpoint, type KubeObject, NAMESPACE, POD, type Pod } from '../../clients/kubernetes/objects.ts';
import { type EndpointPart, endpointPart, type PodPart, podPart } from '../../clients/kubernetes/parts.ts';
import { LabelSet } from '../../domain/policy/identity.ts';
import { DIRECTIONS, type Direction, type Policy, policyId } from '../../domain/policy/policy.ts';
import type { Target } from '../../domain/target.ts';
import { unhurried } from '../unhurried.ts';
import { identityOf, isLive, selectionOf, sharing } from './subject.ts';
import { findWorkload } from './workload-kinds.ts';

/** A pod that the candidate selects, with its identity. */
export interface SelectedPod {
  readonly pod: PodPart;
  /** One list for all pods with the same labels. */
  readonly labels: readonly string[];
}

export interface Workload {
  /** What runs its pods: a Deployment, StatefulSet, DaemonSet …; undefined for a whole namespace. */
  readonly object: KubeObject | undefined;
  /** Live pods of the namespace. */
  readonly all: readonly SelectedPod[];
  /** Live pods that the candidate selects. */
  readonly selected: readonly SelectedPod[];
  /** Live pods of the workload. */
  readonly own: readonly PodPart[];
}

/** The pods that a candidate is about. `target` undefined: whatever it selects in the namespace. */
export async function readSelected(
  cluster: Cluster,
  { target, ...place }: Place & { readonly target: Target | undefined },
  candidate: Policy,
  signal: AbortSignal,
): Promise<Workload> {
  const [object, identities] = await Promise.all([
    target && findWorkload(cluster, { namespace: place.namespace, name: target.name }, signal),
    readIdentities(cluster, place, signal),
  ]);
  const all: SelectedPod[] = [];
  const selected: SelectedPod[] = [];
  const isSelected = selectionOf(candidate);
  const shared = sharing();
  const look = function* (): Generator<undefined, void> {
    for (const pod of identities.live) {
      const one = { pod, labels: shared(identities.of(pod)) };
      all.push(one);
      if (isSelected(one.labels)) selected.push(one);
      yield undefined;
    }
  };
  await unhurried(look(), signal);
  const own = object ? identities.live.filter((pod) => isOf(object, pod)) : selected.map(({ pod }) => pod);
  return { object, all, selected, own };
}

interface Place {
  readonly namespace: string;
  readonly clusterName?: string | undefined;
}

/** The live pods of a namespace, and the identity labels of each. */
export async function readIdentities(cluster: Cluster, { namespace, clusterName }: Place, signal: AbortSignal) {
  const [pods, endpoints, space] = await Promise.all([
    cluster.list<Pod, PodPart>(POD, { namespace }, { signal, part: podPart }),
    cluster.list<CiliumEndpoint, EndpointPart>(CILIUM_ENDPOINT, { namespace }, { signal, part: endpointPart }),
    cluster.read({ ...NAMESPACE, namespace: '', name: namespace }, { signal }),
  ]);
  const byName = new Map(endpoints.items.map((endpoint) => [endpoint.metadata.name, endpoint]));
  return {
    live: pods.items.filter(isLive),
    of: (pod: PodPart) => identityOf(pod, byName.get(pod.metadata.name), { namespace: space, clusterName }),
  };
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

export function selectorOf({ spec }: KubeObject): Selector {
  return (spec?.['selector'] ?? {}) as Selector;
}

/** Do its pods use the network of their nodes? Then they have no identity of their own. */
export function runsOnHost({ spec }: KubeObject): boolean {
  const template = (spec?.['template'] ?? {}) as { readonly spec?: { readonly hostNetwork?: boolean } };
  return template.spec?.hostNetwork === true;
}

/** Kubernetes' own label selector (metav1.LabelSelector). */
export function isOf(workload: KubeObject, { metadata }: PodPart): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selectorOf(workload);
  const labels = metadata.labels ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'In' ? isIn : !isIn;
    })
  );
}

/** Policies under whose default deny one of the pods already is, by direction: beside them a shadow would not watch but allow. */
export function* denying(
  policies: readonly Policy[],
  pods: readonly SelectedPod[],
): Generator<undefined, Readonly<Record<Direction, readonly string[]>>> {
  const found: Record<Direction, Policy[]> = { egress: [], ingress: [] };
  let left = DIRECTIONS.flatMap((direction) => policies.map((policy) => ({ direction, policy })));
  for (const labels of new Set(pods.map((pod) => pod.labels))) {
    const set = new LabelSet(labels, 0);
    const isDenying = ({ direction, policy }: (typeof left)[number]): boolean =>
      policy.rules.some(
        ({ subject, ...rule }) =>
          rule.defaultDeny &&
          rule.direction === direction &&
          !subject.node &&
          subject.requirements.every((requirement) => set.meets(requirement)),
      );
    for (const { direction, policy } of left.filter(isDenying)) found[direction].push(policy);
    left = left.filter(({ direction, policy }) => !found[direction].includes(policy));
    yield undefined;
  }
  const named = (direction: Direction): readonly string[] =>
    policies.filter((policy) => found[direction].includes(policy)).map((policy) => `${policy.kind} ${policyId(policy)}`);
  return { egress: named('egress'), ingress: named('ingress') };
}
