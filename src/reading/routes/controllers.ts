import type { Cluster } from '../../clients/kubernetes/cluster.ts';
import { isFailure } from '../../clients/kubernetes/failure.ts';
import {
  GATEWAY,
  GATEWAY_CLASS,
  type Gateway,
  type GatewayClass,
  type KubeObject,
  type ParentRef,
  type Route,
} from '../../clients/kubernetes/objects.ts';

/** Cilium's own, which also answers for parents of kind Service (GAMMA), where no class names a controller. */
const CILIUM = 'io.cilium/gateway-controller';

/** The controller that answers for a parent of the route. */
export type ControllerOf = (parent: ParentRef, route: Route) => string;

/**
 * Reads whose word counts for each parent of the routes: the controllerName of its Gateway's class (Gateway API, RouteParentStatus: any
 * controller may leave an entry, also one that serves the Gateway no more). Cilium's where there is no Gateway or class to ask.
 */
export async function readControllers(cluster: Cluster, routes: readonly Route[], signal: AbortSignal): Promise<ControllerOf> {
  const classes = new Map<string, Promise<string | undefined>>();
  const ofClass = (name: string): Promise<string | undefined> => {
    const known = classes.get(name) ?? classController(cluster, name, signal);
    classes.set(name, known);
    return known;
  };
  const gateways = new Map(
    routes.flatMap((route) =>
      (route.spec.parentRefs ?? []).filter(isGateway).map((parent) => [keyOf(parent, route), parent.name] as const),
    ),
  );
  const found = await Promise.all(
    [...gateways].map(async ([key, name]) => {
      const namespace = key.slice(0, key.indexOf('/'));
      const gateway = await allowed(cluster.read<Gateway>({ ...GATEWAY, namespace, name }, { signal }));
      const className = gateway?.spec.gatewayClassName;
      return [key, className === undefined ? undefined : await ofClass(className)] as const;
    }),
  );
  const controllers = new Map(found);
  return (parent, route) => (isGateway(parent) && controllers.get(keyOf(parent, route))) || CILIUM;
}

async function classController(cluster: Cluster, name: string, signal: AbortSignal): Promise<string | undefined> {
  const ref = { ...GATEWAY_CLASS, namespace: '', name };
  return (await allowed(cluster.read<GatewayClass>(ref, { signal })))?.spec.controllerName;
}

/** What the worker may not read, or the cluster does not serve, is as if it were not there. */
async function allowed<T extends KubeObject>(read: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isFailure(error, 'Forbidden') || isFailure(error, 'NotFound')) return undefined;
    throw error;
  }
}

function isGateway({ kind = 'Gateway' }: ParentRef): boolean {
  return kind === 'Gateway';
}

function keyOf(parent: ParentRef, route: Route): string {
  return `${parent.namespace ?? route.metadata.namespace ?? ''}/${parent.name}`;
}
