import {
  CILIUM_NODE,
  CONFIG_MAP,
  type Condition,
  ENDPOINT_SLICE,
  GATEWAY,
  GATEWAY_CLASS,
  HTTP_ROUTE,
  type KubeObject,
  type Route,
  SERVICE,
} from '../../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { ApiServer, Writer } from './api-server.ts';

/** Names of the demo mesh. */
export const CLUSTER = 'demo';
export const NAMESPACE = 'shop';
export const SERVICE_NAME = 'backend';
export const CANARY_NAME = 'backend-canary';
export const NODES = { gateway: 'node-gateway', pods: 'node-pods', other: 'node-other' } as const;
const CONTROLLER: Writer = { kind: 'controller', name: 'io.cilium/gateway-controller' };

export function routeRef(name: string): ObjectRef {
  return { ...HTTP_ROUTE, namespace: NAMESPACE, name };
}

const ref = (kind: { apiVersion: string; kind: string }, namespace: string, name: string): ObjectRef => ({ ...kind, namespace, name });

export interface MeshOptions {
  /** Routes and rules of each; every rule splits between the two Services. */
  readonly routes: number;
  readonly rules: number;
}

/** One Service with its canary behind routes of one Gateway, and the controllers that bring what is written into force. */
export class Mesh {
  readonly #api: ApiServer;
  readonly #time: VirtualTime;
  readonly routes: readonly ObjectRef[];
  /** Weights as the gateway uses them, by route. */
  readonly #inForce = new Map<string, Weights>();
  readonly #pods: Record<'stable' | 'canary', string[]> = { stable: [], canary: [] };
  #names = 0;
  /** How long the gateway's controller takes to bring a change into force (ms). */
  controllerMs = 120;

  constructor(api: ApiServer, time: VirtualTime, { routes, rules }: MeshOptions) {
    this.#api = api;
    this.#time = time;
    this.routes = Array.from({ length: routes }, (_, index) => routeRef(index === 0 ? 'backend' : `backend-${index}`));
    const before = this.#api.changed;
    api.changed = (change) => {
      before(change);
      if (change.ref.kind === 'HTTPRoute' && change.by.kind !== 'controller') this.#reconcile(change.ref);
    };
    this.#furnish(rules);
  }

  #furnish(rules: number): void {
    const create = (at: ObjectRef, manifest: JsonObject): KubeObject =>
      this.#api.create(at, manifest, { kind: 'controller', name: 'setup' });
    create(ref(CONFIG_MAP, 'kube-system', 'cilium-config'), { data: { 'enable-hubble': 'true' } });
    create(ref(GATEWAY_CLASS, '', 'cilium'), { spec: { controllerName: CONTROLLER.name } });
    create(ref(GATEWAY, NAMESPACE, 'mesh'), {
      spec: { gatewayClassName: 'cilium', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
      status: { addresses: [{ type: 'IPAddress', value: '10.9.9.9' }] },
    });
    Object.values(NODES).forEach((node, index) =>
      create(ref(CILIUM_NODE, '', node), { spec: { addresses: [{ type: 'InternalIP', ip: `10.0.0.${index + 1}` }] } }),
    );
    [SERVICE_NAME, CANARY_NAME].forEach((name, index) =>
      create(ref(SERVICE, NAMESPACE, name), { spec: { clusterIPs: [`10.1.0.${index + 1}`] } }),
    );
    this.scale('stable', 2);
    this.scale('canary', 2);
    for (const route of this.routes) {
      create(route, routeManifest(rules));
      this.#takeUp(route);
    }
  }

  /** So many ready pods of one side; those that were there before are replaced. */
  scale(side: 'stable' | 'canary', count: number): void {
    const service = side === 'stable' ? SERVICE_NAME : CANARY_NAME;
    this.#pods[side] = Array.from({ length: count }, () => `${service}-${++this.#names}`);
    const at = ref(ENDPOINT_SLICE, NAMESPACE, `${service}-slice`);
    const endpoints = this.#pods[side].map((name, index) => ({
      addresses: [`10.2.${side === 'stable' ? 1 : 2}.${(this.#names % 50) * 4 + index + 1}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name, namespace: NAMESPACE },
      nodeName: NODES.pods,
    }));
    const labels = { 'kubernetes.io/service-name': service };
    if (!this.#api.read(at)) this.#api.create(at, { metadata: { labels }, endpoints }, CONTROLLER);
    else this.#api.edit(at, CONTROLLER, (slice) => ({ ...slice, endpoints }));
    this.#time.wake();
  }

  pods(side: 'stable' | 'canary'): readonly string[] {
    return this.#pods[side];
  }

  /** The gateway's controller answers later, with the generation that it has seen. */
  #reconcile(at: ObjectRef): void {
    this.#time.in(undefined, () => this.#time.after(this.controllerMs, () => this.#takeUp(at)));
  }

  #takeUp(at: ObjectRef): void {
    const route = this.#api.read(at) as Route | undefined;
    if (!route) {
      this.#inForce.delete(at.name);
      return;
    }
    this.#inForce.set(at.name, weightsOf(route));
    const generation = route.metadata.generation ?? 0;
    const own = {
      parentRef: { name: 'mesh' },
      controllerName: CONTROLLER.name,
      conditions: ['Accepted', 'ResolvedRefs'].map((type): Condition => ({ type, status: 'True', observedGeneration: generation })),
    };
    const others = (route.status?.parents ?? []).filter(({ controllerName }) => controllerName !== CONTROLLER.name);
    this.#api.edit(at, CONTROLLER, (object) => ({ ...object, status: { parents: [...others, own] } }));
  }

  /** A controller that is here no more has left its word on the route. */
  leaveStatus(): void {
    const [at] = this.routes;
    if (!at) return;
    this.#api.edit(at, { kind: 'controller', name: 'example.com/old' }, (object) => {
      const left = {
        parentRef: { name: 'mesh' },
        controllerName: 'example.com/old',
        conditions: [{ type: 'Accepted', status: 'True', observedGeneration: 1 }],
      };
      const { parents = [] } = (object as Route).status ?? {};
      return { ...object, status: { parents: [left, ...parents.filter(({ controllerName }) => controllerName !== left.controllerName)] } };
    });
  }

  /** Weights of the first rule of the first route as the gateway has them now. */
  get inForce(): Weights {
    return this.#inForce.get('backend') ?? { stable: 0, canary: 0 };
  }

  /** The same as they are written. */
  get written(): Weights | undefined {
    const route = this.#api.read(routeRef('backend')) as Route | undefined;
    return route && weightsOf(route);
  }
}

export interface Weights {
  readonly stable: number;
  readonly canary: number;
}

/** The canary's share, 0..1; 0 where nobody has any weight. */
export function shareOf({ stable, canary }: Weights): number {
  return stable + canary === 0 ? 0 : canary / (stable + canary);
}

/** Of the first rule that takes everybody's requests: one that asks for a header serves only who sends it. */
export function weightsOf(route: Route): Weights {
  const rule = route.spec.rules?.find(
    ({ matches }) => !(matches as readonly JsonObject[] | undefined)?.some(({ headers }) => headers !== undefined),
  );
  const backends = rule?.backendRefs ?? [];
  const weight = (name: string): number => backends.filter((each) => each.name === name).reduce((sum, each) => sum + (each.weight ?? 1), 0);
  return { stable: weight(SERVICE_NAME), canary: weight(CANARY_NAME) };
}

function routeManifest(rules: number): JsonObject {
  const backendRefs = [
    { name: SERVICE_NAME, port: 80, weight: 100 },
    { name: CANARY_NAME, port: 80, weight: 0 },
  ];
  const rule = (index: number): JsonObject => ({
    matches: [{ path: { type: 'PathPrefix', value: `/${index === 0 ? '' : index}` } }],
    backendRefs,
  });
  return {
    metadata: { labels: { app: 'shop' }, annotations: { 'example.com/owner': 'team-shop' } },
    spec: { parentRefs: [{ name: 'mesh' }], rules: Array.from({ length: rules }, (_, index) => rule(index)) },
  };
}
