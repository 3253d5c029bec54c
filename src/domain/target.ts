/** What one operation changes: a Service, workload or node set, by cluster, namespace and name. */
export interface Target {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** The target as a person typed it: missing parts come from the channel's defaults. */
export interface TargetText {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly name: string;
}

/** `cluster/namespace/name`, as people write it. */
export function formatTarget(target: Target): string {
  return `${target.cluster}/${target.namespace}/${target.name}`;
}

/** The workflow id is the lock: two operations on one target cannot run at once, whatever their verbs. */
export function workflowIdOf(target: Target): string {
  return `mesh/${formatTarget(target)}`;
}

/** One task queue per cluster, so that a worker holds one cluster's rights. */
export function taskQueueOf(cluster: string): string {
  return `mesh-${cluster}`;
}
