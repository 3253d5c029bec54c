import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { NAMESPACE } from '../clients/kubernetes/objects.ts';
import type { HttpRoute } from '../domain/canary/route.ts';
import { readRoutes, readWorkloads, type WorkloadChoice } from '../reading/choices.ts';
import { createCache } from '../slack/cache.ts';
import type { ChoiceParts } from '../slack/forms/choices.ts';
import type { Clusters } from './clusters.ts';

/** Each letter that is typed asks again: what was read is good for so long. Milliseconds. */
const KEPT_MS = 10_000;
const DEADLINE_MS = 2_000;

/** What forms offer, shared by everybody who has one open. `label`: what ConfigMaps with policies carry. */
export function choiceParts(clusters: Clusters, label: () => string, now: () => number): ChoiceParts {
  const clusterOf = (name: string): Cluster => {
    const cluster = clusters.get(name);
    if (!cluster) throw new Error(`There is no cluster ${name} in the configuration.`);
    return cluster;
  };
  const options = () => ({ signal: AbortSignal.timeout(DEADLINE_MS), deadlineMs: DEADLINE_MS });
  const at = (key: string): readonly [string, string] => {
    const [cluster = '', namespace = ''] = key.split('/');
    return [cluster, namespace];
  };
  const routes = createCache<readonly HttpRoute[]>(async (key) => {
    const [cluster, namespace] = at(key);
    return readRoutes(clusterOf(cluster), namespace || undefined, options());
  }, now);
  const workloads = createCache<readonly WorkloadChoice[]>(async (key) => {
    const [cluster, namespace] = at(key);
    return readWorkloads(clusterOf(cluster), namespace, label(), options());
  }, now);
  const namespaces = createCache<readonly string[]>(
    async (cluster) => (await clusterOf(cluster).list(NAMESPACE, {}, { ...options(), part: ({ metadata }) => metadata.name })).items,
    now,
  );
  const kept = { maxAgeMs: KEPT_MS };
  return {
    routes: (cluster, namespace = '') => routes.get(`${cluster}/${namespace}`, kept),
    workloads: (cluster, namespace) => workloads.get(`${cluster}/${namespace}`, kept),
    namespaces: (cluster) => namespaces.get(cluster, kept),
  };
}
