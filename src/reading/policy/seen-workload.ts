import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import { DEPLOYMENT, type Resource } from '../../clients/kubernetes/objects.ts';
import type { NamedPort } from '../../domain/policy/flow.ts';
import type { Target } from '../../domain/target.ts';
import { namedPortsOf } from './subject.ts';
import { isOf, readIdentities, selectorOf } from './workload.ts';

/** A workload as its policies see it. */
export interface SeenWorkload {
  readonly kind: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Live pods with their identity labels. */
  readonly pods: readonly {
    readonly name: string;
    readonly labels: readonly string[];
    readonly ip: string;
    readonly namedPorts: readonly NamedPort[];
  }[];
}

export const WORKLOADS: readonly Resource[] = [
  DEPLOYMENT,
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
];

/** The Deployment, StatefulSet or DaemonSet of this name, the first that is there; undefined when there is none. */
export async function readWorkload(cluster: Cluster, { namespace, name }: Target, signal: AbortSignal): Promise<SeenWorkload | undefined> {
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
  const workload = found.find((one) => one !== undefined);
  const { matchLabels: selector = {} } = workload ? selectorOf(workload) : {};
  if (!workload || Object.keys(selector).length === 0) return undefined;
  const identities = await readIdentities(cluster, { namespace }, signal);
  const pods = identities.live
    .filter((pod) => isOf(workload, pod))
    .map((pod) => ({
      name: pod.metadata.name,
      labels: identities.of(pod),
      ip: pod.status?.podIP ?? '',
      namedPorts: namedPortsOf(pod),
    }));
  return { kind: workload.kind, selector, pods };
}
