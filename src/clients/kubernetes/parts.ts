// What is kept of objects that are read by the thousand. None of these passes for the whole object: what was left out would be missing in a digest.
import { TOKEN_ANNOTATION } from '../../domain/lifecycle/plan.ts';
import type { CiliumEndpoint, Condition, Metadata, Pod, Service } from './objects.ts';

type Owner = NonNullable<Metadata['ownerReferences']>[number];

/** The part of an object by which it is named. */
export interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Pick<Metadata, 'name' | 'namespace'>;
}

/** Of a pod: who it is and who made it, whether it is ready, and what its identity and its ports are made of. */
export interface PodPart extends Named {
  readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'uid' | 'labels' | 'annotations' | 'deletionTimestamp' | 'ownerReferences'>;
  readonly spec: Pick<Pod['spec'], 'nodeName' | 'hostNetwork' | 'containers'>;
  readonly status?: Pod['status'];
}

/** Of a CiliumEndpoint: its name and its identity. */
export interface EndpointPart {
  readonly metadata: Pick<Metadata, 'name'>;
  readonly status?: Pick<NonNullable<CiliumEndpoint['status']>, 'identity'>;
}

/** Of a Service: what rules can name. */
export interface ServicePart {
  readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'labels'>;
  readonly spec: Pick<Service['spec'], 'selector'>;
}

/** For `list`: a pod without what nobody asks of thousands. */
export function podPart({ apiVersion, kind, metadata, spec, status }: Pod): PodPart {
  const { name, namespace, uid, labels, deletionTimestamp } = metadata;
  const { nodeName, hostNetwork, containers = [] } = spec;
  const ports = containers.flatMap(({ ports: own }) => (own ? [{ ports: own }] : []));
  const token = metadata.annotations?.[TOKEN_ANNOTATION];
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      ...(token !== undefined && { annotations: { [TOKEN_ANNOTATION]: token } }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(owner && { ownerReferences: [ownerPart(owner)] }),
    },
    spec: {
      ...(nodeName !== undefined && { nodeName }),
      ...(hostNetwork !== undefined && { hostNetwork }),
      ...(ports.length > 0 && { containers: ports }),
    },
    ...(status && { status: statusOf(status) }),
  };
}

function ownerPart({ apiVersion, kind, name }: Owner): Owner {
  return { apiVersion, kind, name, controller: true };
}

function statusOf({ phase, podIP, conditions }: NonNullable<Pod['status']>): NonNullable<Pod['status']> {
  const ready = conditions?.find(({ type }) => type === 'Ready');
  return {
    ...(phase !== undefined && { phase }),
    ...(podIP !== undefined && { podIP }),
    ...(ready && { conditions: [conditionPart(ready)] }),
  };
}

function conditionPart({ type, status }: Condition): Condition {
  return { type, status };
}

/** For `list`. */
export function endpointPart({ metadata, status }: CiliumEndpoint): EndpointPart {
  const { id, labels } = status?.identity ?? {};
  const identity = { ...(id !== undefined && { id }), ...(labels && { labels }) };
  return { metadata: { name: metadata.name }, ...(status?.identity && { status: { identity } }) };
}

/** For `list`. */
export function servicePart({ metadata, spec }: Service): ServicePart {
  const { name, namespace, labels } = metadata;
  const named = { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }) };
  return { metadata: named, spec: spec.selector ? { selector: spec.selector } : {} };
}
