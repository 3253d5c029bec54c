/** Plays the operator's status writes for GatewayClasses, Gateways and routes. */
import { type Kube, KubeError, type Resource } from '../kube/client.ts';
import { resources } from '../kube/resources.ts';
import { type Gateway, type KubeObject, keyOf, type Route } from '../kube/types.ts';
import { gatewayAddress } from '../nodes.ts';
import type { World } from '../world.ts';
import { controllerName } from './attach.ts';
import { classConditions, gatewayStatus } from './gateway-status.ts';
import { gatewayEnvoyConfig, gatewayService, serviceEnvoyConfig } from './objects.ts';
import { allRoutes, attachedTo, ourGateways, servicesOfMesh } from './plans.ts';
import { type RouteWorld, routeParents, sameParents } from './status.ts';
import type { Xds } from './xds.ts';

export interface Operator {
  /** Writes every status that differs from what should be there. */
  reconcile(): Promise<void>;
  /** The address that a Gateway answers on, `namespace/name`. */
  addressOf(gateway: string): string;
}

function withoutTimes(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => (key === 'lastTransitionTime' ? undefined : inner));
}

/** The operator; `now` in Unix milliseconds. */
export function createOperator(kube: Kube, world: World, xds: Xds, now: () => number): Operator {
  const addresses = new Map<string, string>();
  const written = new Map<string, string>();

  const addressOf = (key: string): string => {
    const address = addresses.get(key) ?? gatewayAddress(addresses.size);
    addresses.set(key, address);
    return address;
  };

  const put = async (of: Resource, object: KubeObject, status: object): Promise<void> => {
    const key = `${of.plural} ${keyOf(object)} ${object.metadata.uid}`;
    const text = `${object.metadata.generation} ${withoutTimes(status)}`;
    if (written.get(key) === text) return;
    await kube.merge(of, object, { status }, 'status').catch((error: unknown) => {
      if (!(error instanceof KubeError && error.status === 404)) throw error;
    });
    written.set(key, text);
  };

  const putRoute = async (of: Resource, kind: 'HTTPRoute' | 'GRPCRoute', route: Route, at: string): Promise<void> => {
    const view: RouteWorld = {
      gateways: world.gateways.objects,
      classes: world.classes.objects,
      services: world.services.objects,
      namespaceLabels: world.namespaceLabels,
    };
    const parents = routeParents(route, kind, view, at);
    if (sameParents(parents, route.status?.parents ?? [])) return;
    // Refused when the object moved on meanwhile: its next change brings the status along.
    const body = { metadata: { resourceVersion: route.metadata.resourceVersion }, status: { parents } };
    await kube.merge(of, route, body, 'status').catch((error: unknown) => {
      if (!(error instanceof KubeError && (error.status === 404 || error.status === 409))) throw error;
    });
  };

  const apply = async (of: Resource, object: KubeObject): Promise<KubeObject | undefined> => {
    const key = `${of.plural} ${keyOf(object)}`;
    const text = JSON.stringify(object);
    if (written.get(key) === text) return undefined;
    const applied = await kube.apply(of, object);
    written.set(key, text);
    return applied;
  };

  const putObjects = async (gateway: Gateway): Promise<void> => {
    const attached = gateway.spec.listeners.flatMap((listener) => attachedTo(world, gateway, listener));
    const routes = new Map(attached.map((each) => [`${each.kind} ${keyOf(each.route)}`, each]));
    await apply(resources.ciliumEnvoyConfigs, gatewayEnvoyConfig(gateway, [...routes.values()]));
    const service = await apply(resources.services, gatewayService(gateway));
    if (!service) return;
    const ingress = [{ ip: addressOf(keyOf(gateway)), ipMode: 'VIP' }];
    await kube.merge(resources.services, service, { status: { loadBalancer: { ingress } } }, 'status');
  };

  const configs = new Map<string, KubeObject>();

  /** The CiliumEnvoyConfigs of Services that routes hang on; those of others, which the garbage collector would take, go. */
  const putServiceConfigs = async (): Promise<void> => {
    const wanted = new Map(servicesOfMesh(world).map((each) => [keyOf(each.service), serviceEnvoyConfig(each)]));
    for (const [key, config] of wanted) {
      await apply(resources.ciliumEnvoyConfigs, config);
      configs.set(key, config);
    }
    for (const [key, config] of configs) {
      if (wanted.has(key)) continue;
      await kube.remove(resources.ciliumEnvoyConfigs, config);
      configs.delete(key);
      written.delete(`${resources.ciliumEnvoyConfigs.plural} ${key}`);
    }
  };

  return {
    addressOf,
    reconcile: async () => {
      const at = new Date(Math.floor(now() / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
      for (const route of world.httpRoutes.objects.values()) await putRoute(resources.httpRoutes, 'HTTPRoute', route, at);
      for (const route of world.grpcRoutes.objects.values()) await putRoute(resources.grpcRoutes, 'GRPCRoute', route, at);
      for (const each of world.classes.objects.values()) {
        if (each.spec.controllerName === controllerName)
          await put(resources.gatewayClasses, each, { conditions: classConditions(each, at) });
      }
      for (const gateway of ourGateways(world)) {
        const key = keyOf(gateway);
        const programmed = gateway.spec.listeners.some((listener) => xds.portOf(`${key}/${listener.name}`) !== undefined);
        const options = { address: addressOf(key), programmed, now: at };
        await put(resources.gateways, gateway, gatewayStatus(gateway, allRoutes(world), world.namespaceLabels, options));
        await putObjects(gateway);
      }
      await putServiceConfigs();
    },
  };
}
