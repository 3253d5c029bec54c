import type { HttpRoute } from '../../domain/canary/route.ts';
import type { WorkloadChoice } from '../../reading/choices.ts';

/** What forms offer, read from the clusters and kept for some seconds. Rejects when a cluster does not say within 2 s. */
export interface ChoiceParts {
  /** Of one namespace, or of all. */
  routes(cluster: string, namespace: string | undefined): Promise<readonly HttpRoute[]>;
  workloads(cluster: string, namespace: string): Promise<readonly WorkloadChoice[]>;
  namespaces(cluster: string): Promise<readonly string[]>;
}
