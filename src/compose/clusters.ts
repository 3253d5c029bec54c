import { type Cluster, connectCluster, type Right } from '../clients/kubernetes/cluster.ts';
import { HTTP_ROUTE, NAMESPACE, type Route, SERVICE } from '../clients/kubernetes/objects.ts';
import { kubeConfigOf } from '../connect/kubernetes.ts';
import type { Config } from '../domain/config/schema.ts';
import type { KubernetesIdentity } from '../domain/lifecycle/actor.ts';
import { bootstrapName } from '../domain/policy/change.ts';
import type { Target } from '../domain/target.ts';
import { findWorkload } from '../reading/policy/workload-kinds.ts';

/** Connections to all configured clusters, opened at first use and shared. */
export interface Clusters {
  /** Undefined when there is no cluster of this name. Throws when its configuration cannot be used. */
  get(name: string): Cluster | undefined;
  close(): void;
}

export function openClusters(config: () => Config): Clusters {
  const open = new Map<string, Cluster>();
  return {
    get: (name) => {
      const known = open.get(name);
      if (known) return known;
      const wanted = config().clusters[name];
      if (!wanted) return undefined;
      const cluster = connectCluster(kubeConfigOf(wanted), wanted);
      open.set(name, cluster);
      return cluster;
    },
    close: () => {
      for (const cluster of open.values()) cluster.close();
      open.clear();
    },
  };
}

/** Present weights of a Service in its namespace's routes: `backend: backend 90, backend-canary 10`. Undefined when no route names it. */
export async function liveWeights(clusters: Clusters, target: Target, signal: AbortSignal): Promise<string | undefined> {
  const cluster = clusters.get(target.cluster);
  if (!cluster) return undefined;
  const { items } = await cluster.list<Route>(HTTP_ROUTE, { namespace: target.namespace }, { signal, deadlineMs: 800 });
  const lines = items.flatMap((route) =>
    (route.spec?.rules ?? [])
      .map((rule) => rule.backendRefs ?? [])
      .filter((backends) => backends.some((backend) => backend.name === target.name))
      .map((backends) => `${route.metadata.name}: ${backends.map((backend) => `${backend.name} ${backend.weight ?? 1}`).join(', ')}`),
  );
  return lines.length > 0 ? [...new Set(lines)].join('; ') : undefined;
}

/** The first right that this person lacks. A cluster that is not configured lets nobody do anything. */
export async function lackingIn(
  clusters: Clusters,
  name: string,
  rights: readonly Right[],
  as: KubernetesIdentity,
  signal: AbortSignal,
): Promise<Right | undefined> {
  const cluster = clusters.get(name);
  const answers = await Promise.all(rights.map(async (right) => (await cluster?.mayI(right, { signal, as }))?.allowed === true));
  return rights.find((_, index) => !answers[index]);
}

/** What of a scope the cluster does not have, in words. Rejects when it does not say. */
export async function missingIn(
  clusters: Clusters,
  scope: { readonly cluster: string; readonly namespace: string; readonly name?: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const cluster = clusters.get(scope.cluster);
  if (!cluster) return undefined;
  const { namespace, name } = scope;
  if (!(await cluster.read({ ...NAMESPACE, namespace: '', name: namespace }, { signal })))
    return `namespace ${namespace} in ${scope.cluster}`;
  // What a bootstrap holds is a whole namespace under this name.
  if (name === undefined || name === bootstrapName(namespace)) return undefined;
  const found = await Promise.all([
    cluster.read({ ...SERVICE, namespace, name }, { signal }),
    findWorkload(cluster, { namespace, name }, signal),
  ]);
  return found.every((object) => object === undefined) ? `Service or workload ${name} in ${namespace}` : undefined;
}
