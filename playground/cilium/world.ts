/** Live copies of every kind the simulator reacts to. */
import { isAgent, isAgentSet } from './encryption/agent-set.ts';
import type { Kube } from './kube/client.ts';
import { type Mirror, mirror } from './kube/mirror.ts';
import { resources } from './kube/resources.ts';
import type {
  CiliumPolicy,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Gateway,
  GatewayClass,
  KubeObject,
  Pod,
  Route,
  Service,
  StatefulSet,
} from './kube/types.ts';

export interface World {
  readonly namespaces: Mirror<KubeObject>;
  readonly deployments: Mirror<Deployment>;
  readonly statefulSets: Mirror<StatefulSet>;
  /** All but the agents' own. */
  readonly daemonSets: Mirror<DaemonSet>;
  /** All but the agents' own. */
  readonly pods: Mirror<Pod>;
  readonly agentPods: Mirror<Pod>;
  readonly services: Mirror<Service>;
  readonly slices: Mirror<EndpointSlice>;
  readonly classes: Mirror<GatewayClass>;
  readonly gateways: Mirror<Gateway>;
  readonly httpRoutes: Mirror<Route>;
  readonly grpcRoutes: Mirror<Route>;
  readonly ciliumPolicies: Mirror<CiliumPolicy>;
  readonly clusterwidePolicies: Mirror<CiliumPolicy>;
  readonly networkPolicies: Mirror<KubeObject>;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  /** Resolves when every kind was listed once. */
  readonly synced: Promise<void>;
}

export type Kind = Exclude<keyof World, 'namespaceLabels' | 'synced'>;

/** A change as the watch brought it; `object` is undefined after a deletion. */
export interface Change {
  readonly kind: Kind;
  readonly key: string;
  readonly object: KubeObject | undefined;
}

/** Starts every watch; ends by the signal. */
export function watchWorld(kube: Kube, signal: AbortSignal, onChange: (change: Change) => void, onError: (error: unknown) => void): World {
  const live = <T extends KubeObject>(kind: Kind, keeps: (object: T) => boolean = () => true): Mirror<T> =>
    mirror<T>({
      kube,
      of: resources[resourceOf[kind]],
      signal,
      onChange: (key, object) => onChange({ kind, key, object }),
      onError,
      keeps,
    });
  const namespaces = live<KubeObject>('namespaces');
  const mirrors = {
    namespaces,
    deployments: live<Deployment>('deployments'),
    statefulSets: live<StatefulSet>('statefulSets'),
    daemonSets: live<DaemonSet>('daemonSets', (set) => !isAgentSet(set)),
    pods: live<Pod>('pods', (pod) => !isAgent(pod)),
    agentPods: live<Pod>('agentPods', isAgent),
    services: live<Service>('services'),
    slices: live<EndpointSlice>('slices'),
    classes: live<GatewayClass>('classes'),
    gateways: live<Gateway>('gateways'),
    httpRoutes: live<Route>('httpRoutes'),
    grpcRoutes: live<Route>('grpcRoutes'),
    ciliumPolicies: live<CiliumPolicy>('ciliumPolicies'),
    clusterwidePolicies: live<CiliumPolicy>('clusterwidePolicies'),
    networkPolicies: live<KubeObject>('networkPolicies'),
  };
  return {
    ...mirrors,
    namespaceLabels: (namespace) => namespaces.objects.get(`/${namespace}`)?.metadata.labels ?? {},
    synced: Promise.all(Object.values(mirrors).map((each) => each.synced)).then(() => undefined),
  };
}

const resourceOf = {
  namespaces: 'namespaces',
  deployments: 'deployments',
  statefulSets: 'statefulSets',
  daemonSets: 'daemonSets',
  pods: 'pods',
  agentPods: 'pods',
  services: 'services',
  slices: 'endpointSlices',
  classes: 'gatewayClasses',
  gateways: 'gateways',
  httpRoutes: 'httpRoutes',
  grpcRoutes: 'grpcRoutes',
  ciliumPolicies: 'ciliumPolicies',
  clusterwidePolicies: 'clusterwidePolicies',
  networkPolicies: 'networkPolicies',
} as const satisfies Record<Kind, keyof typeof resources>;
