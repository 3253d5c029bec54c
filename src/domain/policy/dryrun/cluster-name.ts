import { CLUSTER_LABEL } from '../selector.ts';
import type { RecordedFlow } from './recorded.ts';

const CLUSTER = `k8s:${CLUSTER_LABEL}=`;

/** What a recording says about the cluster that it is of. */
export interface ClusterSeen {
  /** Names of the clusters whose agents reported, the most frequent first. */
  readonly names: readonly string[];
  /** Records with a pod at the end that reported. */
  readonly pods: number;
}

/** The end that reported is in the cluster of the agent; the other one may be anywhere in the mesh. */
export function clustersIn(flows: readonly RecordedFlow[]): ClusterSeen {
  const counts = new Map<string, number>();
  let pods = 0;
  for (const { traffic_direction: direction, source, destination } of flows) {
    const { labels } = direction === 'INGRESS' ? destination : source;
    if (!labels.some((label) => label.startsWith('k8s:'))) continue;
    pods += 1;
    const name = labels.find((label) => label.startsWith(CLUSTER))?.slice(CLUSTER.length);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return { names: [...counts].toSorted(([, a], [, b]) => b - a).map(([name]) => name), pods };
}
