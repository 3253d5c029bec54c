import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import { DEPLOYMENT, type KubeObject, type Resource } from '../../clients/kubernetes/objects.ts';
import { isObject } from '../../domain/json.ts';
import type { Target } from '../../domain/target.ts';

/** What runs pods that a policy can be rolled out to, in the order in which a name is looked for: the first one that has it is meant. */
const WORKLOADS: readonly Resource[] = [
  DEPLOYMENT,
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
];

/** For refusals: what a name was looked for as. */
export const LOOKED_FOR: readonly string[] = ['a Deployment', 'a StatefulSet', 'a DaemonSet', 'an Argo Rollout', 'a ReplicaSet of its own'];

/** The workload of this name; undefined when there is none. A kind that the cluster does not have, or does not let us read, has none. */
export async function findWorkload(
  cluster: Pick<Cluster, 'read'>,
  { namespace, name }: Pick<Target, 'namespace' | 'name'>,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const found = await Promise.all(
    WORKLOADS.map(async (resource) => {
      try {
        return await cluster.read({ ...resource, namespace, name }, { signal });
      } catch (error) {
        // Clusters that let us read Deployments alone are served as far as that goes.
        if (resource !== DEPLOYMENT && isFailure(error, 'Forbidden')) return undefined;
        throw error;
      }
    }),
  );
  const first = found.find((one) => one !== undefined && !isPart(one));
  return first && withSelector(cluster, first, signal);
}

/** A Rollout may leave selector and template to a Deployment that it names (`workloadRef`). */
async function withSelector(cluster: Pick<Cluster, 'read'>, workload: KubeObject, signal: AbortSignal): Promise<KubeObject> {
  const { selector, workloadRef } = workload.spec ?? {};
  if (selector !== undefined || !isObject(workloadRef)) return workload;
  const { apiVersion, kind, name } = workloadRef as { readonly apiVersion?: string; readonly kind?: string; readonly name?: string };
  const ref = { apiVersion: apiVersion ?? '', kind: kind ?? '', namespace: workload.metadata.namespace ?? '', name: name ?? '' };
  const of = await cluster.read(ref, { signal });
  return of ? { ...workload, spec: { ...workload.spec, selector: of.spec?.['selector'] ?? null } } : workload;
}

/** Another workload makes it (the ReplicaSet of a Deployment): its pods are that one's, and it comes and goes. */
function isPart({ metadata }: KubeObject): boolean {
  return (
    metadata.ownerReferences?.some(({ controller, kind }) => controller === true && WORKLOADS.some((one) => one.kind === kind)) ?? false
  );
}
