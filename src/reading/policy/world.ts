import { type Cluster, ciliumConfigOf } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import {
  CILIUM_CLUSTER_POLICY,
  CILIUM_POLICY,
  type ConfigMap,
  KUBERNETES_POLICY,
  type KubeObject,
  type Resource,
  SERVICE,
  type Service,
} from '../../clients/kubernetes/objects.ts';
import { type ServicePart, servicePart } from '../../clients/kubernetes/parts.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ObjectRef } from '../../domain/lifecycle/plan.ts';
import type { CompileWorld, PolicyService } from '../../domain/policy/flow.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import type { Policy } from '../../domain/policy/policy.ts';

/** What decides the connections of one namespace's pods beside the candidate. */
export interface World {
  /** Every policy that can select a pod of the namespace, as it is stored. */
  readonly documents: readonly KubeObject[];
  readonly compile: CompileWorld;
  readonly config: Readonly<Record<string, string>>;
}

export async function readWorld(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<World> {
  const [config, documents, services] = await Promise.all([
    cluster.read<ConfigMap>(ciliumConfigOf(cluster), { signal }),
    policiesIn(cluster, namespace, signal),
    cluster.list<Service, ServicePart>(SERVICE, {}, { signal, part: servicePart }),
  ]);
  const data = config?.data ?? {};
  const clusterName = data['cluster-name'];
  const compile = { services: services.items.map(serviceOf), ...(clusterName !== undefined && { clusterName }) };
  return { documents, compile, config: data };
}

/** Every policy that can select a pod of the namespace, as it is stored. */
export async function policiesIn(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const all = await Promise.all([
    listOrNone(cluster, CILIUM_POLICY, namespace, signal),
    listOrNone(cluster, CILIUM_CLUSTER_POLICY, undefined, signal),
    listOrNone(cluster, KUBERNETES_POLICY, namespace, signal),
  ]);
  return all.flat();
}

/** A cluster without the kind has none of it. */
async function listOrNone(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    return (await cluster.list(resource, namespace === undefined ? {} : { namespace }, { signal })).items;
  } catch (error) {
    if (isFailure(error, 'NotFound')) return [];
    throw error;
  }
}

function serviceOf({ metadata, spec }: ServicePart): PolicyService {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ...(metadata.labels && { labels: metadata.labels }),
    ...(spec.selector && { selector: spec.selector }),
  };
}

/** What the engine makes of policy documents; one that it rejects has no effect, so it is left out. */
export function inForce(documents: readonly (KubeObject | JsonObject)[], { clusterName }: CompileWorld): readonly Policy[] {
  return documents.flatMap((document) => {
    const parsed = parsePolicy(document, clusterName === undefined ? {} : { clusterName });
    return parsed.ok ? [parsed.policy] : [];
  });
}

/** The documents without these policies of the namespace. */
export function without(documents: readonly KubeObject[], refs: readonly ObjectRef[]): readonly KubeObject[] {
  return documents.filter(
    ({ kind, metadata }) => !refs.some((ref) => ref.kind === kind && ref.name === metadata.name && ref.namespace === metadata.namespace),
  );
}
