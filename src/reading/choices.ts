// What a form offers: Services that can have a canary, and workloads with the policy files that were found for them.
import type { CallOptions, Cluster } from '../clients/kubernetes/cluster.ts';
import { CONFIG_MAP, HTTP_ROUTE, POD, type Pod } from '../clients/kubernetes/objects.ts';
import { type HttpRoute, parseRoute } from '../domain/canary/route.ts';

/** A workload, and where a policy for it was found. */
export interface WorkloadChoice {
  readonly namespace: string;
  readonly name: string;
  readonly source?: string;
}

/** HTTPRoutes of one namespace, or of all. */
export async function readRoutes(cluster: Cluster, namespace: string | undefined, options: CallOptions): Promise<readonly HttpRoute[]> {
  const where = namespace === undefined ? {} : { namespace };
  const { items } = await cluster.list(HTTP_ROUTE, where, { ...options, part: parseRoute });
  return items.flatMap((route) => (route ? [route] : []));
}

const HASH = 'pod-template-hash';

/** The workloads of a namespace, out of its pods; those with a policy file stand first. */
export async function readWorkloads(
  cluster: Cluster,
  namespace: string,
  label: string,
  options: CallOptions,
): Promise<readonly WorkloadChoice[]> {
  const [pods, maps] = await Promise.all([
    cluster.list<Pod, string | undefined>(POD, { namespace }, { ...options, part: workloadOf }),
    cluster.list(
      CONFIG_MAP,
      { namespace, labelSelector: label },
      { ...options, part: ({ metadata }) => [metadata.labels?.[label], metadata.name] as const },
    ),
  ]);
  const sources = new Map(
    maps.items.flatMap(([workload, map]) => (workload ? [[workload, `ConfigMap ${namespace}/${map}`] as const] : [])),
  );
  const names = [...new Set([...sources.keys(), ...pods.items.flatMap((name) => name ?? [])])];
  return names
    .map((name): WorkloadChoice => {
      const source = sources.get(name);
      return { namespace, name, ...(source !== undefined && { source }) };
    })
    .toSorted((a, b) => Number(b.source !== undefined) - Number(a.source !== undefined) || a.name.localeCompare(b.name));
}

/** A pod of a Deployment is named after a ReplicaSet, which is named after the Deployment and the hash of its template. */
function workloadOf({ metadata }: Pod): string | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)?.name;
  const hash = metadata.labels?.[HASH];
  return owner !== undefined && hash !== undefined && owner.endsWith(`-${hash}`) ? owner.slice(0, -hash.length - 1) : owner;
}
