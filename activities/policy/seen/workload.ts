import type { JsonObject } from '../../../src/domain/json.ts';
import type { NamedPort } from '../../../src/domain/policy/flow.ts';
import type { Target } from '../../../src/domain/target.ts';
import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import {
  CILIUM_ENDPOINT,
  type CiliumEndpoint,
  DEPLOYMENT,
  type KubeObject,
  NAMESPACE,
  POD,
  type Pod,
  type Resource,
} from '../../clients/kubernetes/objects.ts';
import { identityOf, isLive, namedPortsOf } from '../subject.ts';

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
  const selector = workload && selectorOf(workload);
  if (!workload || !selector) return undefined;
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const [pods, endpoints, space] = await Promise.all([
    cluster.list<Pod>(POD, { namespace, labelSelector }, { signal }),
    cluster.list<CiliumEndpoint>(CILIUM_ENDPOINT, { namespace }, { signal }),
    cluster.read({ ...NAMESPACE, namespace: '', name: namespace }, { signal }),
  ]);
  const byName = new Map(endpoints.items.map((endpoint) => [endpoint.metadata.name, endpoint]));
  const live = pods.items.filter(isLive).map((pod) => ({
    name: pod.metadata.name,
    labels: identityOf(pod, byName.get(pod.metadata.name), { namespace: space }),
    ip: String((pod as { readonly status?: { readonly podIP?: string } }).status?.podIP ?? ''),
    namedPorts: namedPortsOf(pod),
  }));
  return { kind: workload.kind, selector, pods: live };
}

function selectorOf({ spec }: KubeObject): Readonly<Record<string, string>> | undefined {
  const selector = spec?.['selector'] as JsonObject | undefined;
  const labels = selector?.['matchLabels'] as Readonly<Record<string, string>> | undefined;
  return labels && Object.keys(labels).length > 0 ? labels : undefined;
}
