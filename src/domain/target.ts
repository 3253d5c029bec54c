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

/** What stands for everything in a cluster: the target of a verb that holds all of it. No object has such a name. */
export const EVERYWHERE = { namespace: '*', name: '*' } as const;

export function isClusterWide({ namespace, name }: Pick<Target, 'namespace' | 'name'>): boolean {
  return namespace === EVERYWHERE.namespace && name === EVERYWHERE.name;
}

/** `cluster/namespace/name`, or the cluster alone, as people write it. */
export function formatTarget(target: Target): string {
  return isClusterWide(target) ? target.cluster : `${target.cluster}/${target.namespace}/${target.name}`;
}

/** What a target is called where its place goes without saying. */
export function shortNameOf(target: Target): string {
  return isClusterWide(target) ? target.cluster : target.name;
}

/** The workflow id is the lock: two operations on one target cannot run at once, whatever their verbs. */
export function workflowIdOf(target: Target): string {
  return `mesh/${target.cluster}/${target.namespace}/${target.name}`;
}

/** The target that a workflow id locks; undefined for one that is none of ours. */
export function targetOf({ workflowId }: { readonly workflowId: string }): Target | undefined {
  const [root, cluster, namespace, name, ...rest] = workflowId.split('/');
  return root === 'mesh' && cluster && namespace && name && rest.length === 0 ? { cluster, namespace, name } : undefined;
}

/** One task queue per cluster, so that a worker holds one cluster's rights. */
export function taskQueueOf(cluster: string): string {
  return `mesh-${cluster}`;
}
