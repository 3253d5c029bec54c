import { LabelSet } from '../../src/domain/policy/identity.ts';
import type { Policy } from '../../src/domain/policy/policy.ts';
import { DIRECTIONS, type Direction, policyId } from '../../src/domain/policy/policy.ts';
import type { Target } from '../../src/domain/target.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import {
  CILIUM_ENDPOINT,
  type CiliumEndpoint,
  DEPLOYMENT,
  type KubeObject,
  NAMESPACE,
  POD,
  type Pod,
} from '../clients/kubernetes/objects.ts';
import { identityOf, isLive, selectionOf } from './subject.ts';
import { unhurried } from './unhurried.ts';

/** A pod that the candidate selects, with its identity. */
export interface SelectedPod {
  readonly pod: Pod;
  readonly labels: readonly string[];
}

export interface Workload {
  /** Undefined for a whole namespace. */
  readonly deployment: KubeObject | undefined;
  /** Live pods of the namespace. */
  readonly all: readonly SelectedPod[];
  /** Live pods that the candidate selects. */
  readonly selected: readonly SelectedPod[];
  /** Live pods of the workload. */
  readonly own: readonly Pod[];
}

/** The pods that a candidate is about. `target` undefined: whatever it selects in the namespace. */
export async function readWorkload(
  cluster: Cluster,
  {
    namespace,
    target,
    clusterName,
  }: { readonly namespace: string; readonly target: Target | undefined; readonly clusterName?: string | undefined },
  candidate: Policy,
  signal: AbortSignal,
): Promise<Workload> {
  const [deployment, pods, endpoints, space] = await Promise.all([
    target && cluster.read({ ...DEPLOYMENT, namespace, name: target.name }, { signal }),
    cluster.list<Pod>(POD, { namespace }, { signal }),
    cluster.list<CiliumEndpoint>(CILIUM_ENDPOINT, { namespace }, { signal }),
    cluster.read({ ...NAMESPACE, namespace: '', name: namespace }, { signal }),
  ]);
  const byName = new Map(endpoints.items.map((endpoint) => [endpoint.metadata.name, endpoint]));
  const live = pods.items.filter(isLive);
  const all: SelectedPod[] = [];
  const selected: SelectedPod[] = [];
  const isSelected = selectionOf(candidate);
  const look = function* (): Generator<undefined, void> {
    for (const pod of live) {
      const one = { pod, labels: identityOf(pod, byName.get(pod.metadata.name), { namespace: space, clusterName }) };
      all.push(one);
      if (isSelected(one.labels)) selected.push(one);
      yield undefined;
    }
  };
  await unhurried(look(), signal);
  const own = deployment ? live.filter((pod) => isOf(deployment, pod)) : selected.map(({ pod }) => pod);
  return { deployment, all, selected, own };
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

/** Kubernetes' own label selector (metav1.LabelSelector). */
function isOf({ spec }: KubeObject, { metadata }: Pod): boolean {
  const { matchLabels = {}, matchExpressions = [] } = (spec?.['selector'] ?? {}) as Selector;
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
export function denying(policies: readonly Policy[], pods: readonly SelectedPod[]): Readonly<Record<Direction, readonly string[]>> {
  const sets = [...new Map(pods.map(({ labels }) => [labels.join('\n'), new LabelSet(labels, 0)])).values()];
  const of = (direction: Direction): readonly string[] =>
    policies
      .filter((policy) =>
        policy.rules.some(
          ({ subject, ...rule }) =>
            rule.defaultDeny &&
            rule.direction === direction &&
            !subject.node &&
            sets.some((set) => subject.requirements.every((requirement) => set.meets(requirement))),
        ),
      )
      .map((policy) => `${policy.kind} ${policyId(policy)}`);
  const [egress, ingress] = DIRECTIONS.map(of);
  return { egress: egress ?? [], ingress: ingress ?? [] };
}
