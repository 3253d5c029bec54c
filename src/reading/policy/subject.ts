import type { KubeObject } from '../../clients/kubernetes/objects.ts';
import type { EndpointPart, PodPart } from '../../clients/kubernetes/parts.ts';
import type { NamedPort } from '../../domain/policy/flow.ts';
import { LabelSet } from '../../domain/policy/identity.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import type { PodMaker } from '../../domain/policy/stages/cohort.ts';
import { COHORT_LABEL } from '../../domain/policy/stages/rule-document.ts';

/** Does one of the policy's rules select an endpoint with these identity labels? */
export function selects(policy: Policy, labels: readonly string[]): boolean {
  const set = new LabelSet(labels, 0);
  return policy.rules.some(({ subject }) => !subject.node && subject.requirements.every((requirement) => set.meets(requirement)));
}

/** As `selects`, for many endpoints: those with the same labels are decided once. */
export function selectionOf(policy: Policy): (labels: readonly string[]) => boolean {
  const decided = new Map<readonly string[], boolean>();
  return (labels) => {
    const known = decided.get(labels);
    if (known !== undefined) return known;
    const selected = selects(policy, labels);
    decided.set(labels, selected);
    return selected;
  };
}

/** Gives equal label sets as one and the same: what is decided for one is remembered for all. */
export function sharing(): (labels: readonly string[]) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (labels) => {
    const key = labels.join('\n');
    const shared = known.get(key) ?? labels;
    known.set(key, shared);
    return shared;
  };
}

/** Identity labels of a pod: what its CiliumEndpoint says, else what the agent would make of it. */
export function identityOf(
  pod: PodPart,
  endpoint: EndpointPart | undefined,
  { namespace, clusterName = 'default' }: { readonly namespace: KubeObject | undefined; readonly clusterName?: string | undefined },
): readonly string[] {
  const known = endpoint?.status?.identity?.labels;
  if (known && known.length > 0) return known;
  const own = Object.entries(pod.metadata.labels ?? {}).map(([key, value]) => `k8s:${key}=${value}`);
  const above = Object.entries(namespace?.metadata.labels ?? {}).map(
    ([key, value]) => `k8s:io.cilium.k8s.namespace.labels.${key}=${value}`,
  );
  const place = [`k8s:io.kubernetes.pod.namespace=${pod.metadata.namespace ?? ''}`, `k8s:io.cilium.k8s.policy.cluster=${clusterName}`];
  return [...own, ...place, ...above];
}

/** The labels that a pod has in (or out of) the cohort, whatever its identity shows at this moment: the change takes a moment to spread. */
export function inCohort(labels: readonly string[], opId: string | undefined): readonly string[] {
  const rest = labels.filter((label) => !label.startsWith(`k8s:${COHORT_LABEL}=`));
  return opId === undefined ? rest : [...rest, `k8s:${COHORT_LABEL}=${opId}`];
}

/** Pods that live: they can be selected, and stand for the workload. Host network has no identity of its own. */
export function isLive({ metadata, spec, status }: PodPart): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    spec.hostNetwork !== true &&
    status?.phase !== 'Succeeded' &&
    status?.phase !== 'Failed' &&
    spec.nodeName !== undefined
  );
}

/** Who makes a pod, and so what comes in its place. A pod of a Deployment is made by a ReplicaSet. */
export function makerOf({ metadata }: Pick<PodPart, 'metadata'>): PodMaker | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return owner && { kind: owner.kind, name: owner.name };
}

export function isReady({ status }: Pick<PodPart, 'status'>): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

export function namedPortsOf({ spec }: Pick<PodPart, 'spec'>): readonly NamedPort[] {
  return (spec.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, containerPort, protocol = 'TCP' }) => (name === undefined ? [] : [{ name, port: containerPort, protocol }])),
  );
}
