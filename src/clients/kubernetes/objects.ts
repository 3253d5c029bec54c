import type { Json, JsonObject } from '../../domain/json.ts';
import type { ObjectRef } from '../../domain/lifecycle/plan.ts';

/** The part of metadata that meshops reads. */
export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid?: string;
    readonly controller?: boolean;
  }[];
  readonly managedFields?: readonly ManagedFields[];
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: JsonObject;
}

/** Any object as the API gives it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: JsonObject;
  readonly [field: string]: unknown;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
  readonly weight?: number;
}

/** HTTPRoute and GRPCRoute alike, as far as a canary goes. */
export interface Route extends KubeObject {
  readonly spec: JsonObject & {
    readonly parentRefs?: readonly (ParentRef & JsonObject)[];
    readonly rules?: readonly (JsonObject & { readonly backendRefs?: readonly (BackendRef & JsonObject)[] })[];
  };
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef: ParentRef;
      readonly controllerName: string;
      readonly conditions?: readonly Condition[];
    }[];
  };
}

interface GatewayListener {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
  readonly hostname?: string;
  readonly tls?: { readonly mode?: string };
}

export interface GatewayClass extends KubeObject {
  readonly spec: JsonObject & { readonly controllerName?: string };
}

export interface Gateway extends KubeObject {
  readonly spec: JsonObject & {
    readonly gatewayClassName?: string;
    readonly listeners?: readonly GatewayListener[];
  };
  readonly status?: { readonly addresses?: readonly { readonly type?: string; readonly value?: string }[] };
}

export interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
    readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
    readonly nodeName?: string;
  }[];
  readonly ports?: readonly { readonly port?: number; readonly protocol?: string }[];
}

export interface Service extends KubeObject {
  readonly spec: JsonObject & { readonly clusterIPs?: readonly string[]; readonly selector?: Readonly<Record<string, string>> };
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface Pod extends KubeObject {
  readonly spec: JsonObject & {
    readonly nodeName?: string;
    readonly hostNetwork?: boolean;
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
    }[];
  };
  readonly status?: { readonly phase?: string; readonly podIP?: string; readonly conditions?: readonly Condition[] };
}

export interface CiliumEndpoint extends KubeObject {
  readonly status?: { readonly identity?: { readonly id?: number; readonly labels?: readonly string[] }; readonly state?: string };
}

export interface CiliumPolicy extends KubeObject {
  readonly specs?: readonly JsonObject[];
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface CiliumNode extends KubeObject {
  readonly spec: JsonObject & { readonly addresses?: readonly { readonly type: string; readonly ip: string }[] };
}

/** One step of a JSON patch (RFC 6902). */
export type PatchOp =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** What may be listed and watched. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
}

export const HTTP_ROUTE: Resource = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };
export const GRPC_ROUTE: Resource = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute' };
export const GATEWAY: Resource = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' };
export const GATEWAY_CLASS: Resource = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass' };
export const SERVICE: Resource = { apiVersion: 'v1', kind: 'Service' };
export const ENDPOINT_SLICE: Resource = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
export const CONFIG_MAP: Resource = { apiVersion: 'v1', kind: 'ConfigMap' };
export const CILIUM_POLICY: Resource = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy' };
export const CILIUM_CLUSTER_POLICY: Resource = { apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy' };
export const CILIUM_ENDPOINT: Resource = { apiVersion: 'cilium.io/v2', kind: 'CiliumEndpoint' };
export const KUBERNETES_POLICY: Resource = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
export const POD: Resource = { apiVersion: 'v1', kind: 'Pod' };
export const NAMESPACE: Resource = { apiVersion: 'v1', kind: 'Namespace' };
export const DEPLOYMENT: Resource = { apiVersion: 'apps/v1', kind: 'Deployment' };
export const CILIUM_NODE: Resource = { apiVersion: 'cilium.io/v2', kind: 'CiliumNode' };
export const CILIUM_NODE_CONFIG: Resource = { apiVersion: 'cilium.io/v2', kind: 'CiliumNodeConfig' };
export const DAEMON_SET: Resource = { apiVersion: 'apps/v1', kind: 'DaemonSet' };
export const NODE: Resource = { apiVersion: 'v1', kind: 'Node' };

/** Kinds whose plural is not the lower-case kind with an s. */
const PLURALS: Readonly<Record<string, string>> = {
  CiliumNetworkPolicy: 'ciliumnetworkpolicies',
  CiliumClusterwideNetworkPolicy: 'ciliumclusterwidenetworkpolicies',
  CiliumIdentity: 'ciliumidentities',
  NetworkPolicy: 'networkpolicies',
  GatewayClass: 'gatewayclasses',
};

/** `httproutes`, as the API's paths and RBAC rules write it. */
export function pluralOf(kind: string): string {
  return PLURALS[kind] ?? `${kind.toLowerCase()}s`;
}

/** The API group of an apiVersion; `''` for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** Path of a resource's collection; without a namespace over the whole cluster. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}` : `/api/${resource.apiVersion}`;
  return `${root}${namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${pluralOf(resource.kind)}`;
}

/** Path of one object; an empty namespace means a cluster-scoped one. */
export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref, ref.namespace || undefined)}/${encodeURIComponent(ref.name)}`;
}

/** Names an object that was read, or what was kept of it. */
export function refOf(
  object: Pick<KubeObject, 'apiVersion' | 'kind'> & { readonly metadata: Pick<Metadata, 'name' | 'namespace'> },
): ObjectRef {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  };
}
