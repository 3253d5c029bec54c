/** Which listeners Envoy must have, and which routes each of them takes. */
import { type Gateway, keyOf, type Listener, type Route } from '../kube/types.ts';
import { gatewayNode, meshNodes } from '../nodes.ts';
import type { World } from '../world.ts';
import { attach, isRefusal, namesGateway } from './attach.ts';
import { type MeshService, meshServices } from './mesh-services.ts';
import { isOurs } from './status.ts';
import { type AttachedRoute, gatewayConfig } from './translate.ts';

/** What a listener's port stands for. */
export interface Entry {
  /** A Gateway, or a Service that routes hang on. */
  readonly kind: 'gateway' | 'service';
  /** `namespace/name`. */
  readonly of: string;
  /** The port that clients call. */
  readonly port: number;
  /** The node whose Envoy this is. */
  readonly node: string;
}

/** One listener to be: its name, what its ports stand for, and its routes. */
export interface Plan {
  readonly name: string;
  /** `namespace/name` of its CiliumEnvoyConfig. */
  readonly config: string;
  readonly hostname: string | undefined;
  readonly entries: readonly Entry[];
  readonly routes: readonly AttachedRoute[];
}

function gatewayPlans(world: World): readonly Plan[] {
  return ourGateways(world).flatMap((gateway) =>
    gateway.spec.listeners
      .filter((at) => at.protocol === 'HTTP')
      .map((at) => ({
        name: `${keyOf(gateway)}/${at.name}`,
        config: gatewayConfig(gateway),
        hostname: at.hostname,
        entries: [{ kind: 'gateway' as const, of: keyOf(gateway), port: at.port, node: gatewayNode }],
        routes: attachedTo(world, gateway, at),
      })),
  );
}

/** Every node has an Envoy of its own; here they are ports of the one. */
function servicePlans(world: World): readonly Plan[] {
  return servicesOfMesh(world).map(({ service, port, routes }) => ({
    name: `${keyOf(service)}:${port}`,
    config: keyOf(service),
    hostname: undefined,
    entries: meshNodes.map((node) => ({ kind: 'service' as const, of: keyOf(service), port, node: node.name })),
    routes,
  }));
}

/** All of them. */
export const listenerPlans = (world: World): readonly Plan[] => [...gatewayPlans(world), ...servicePlans(world)];

/** Every route of our Gateways, both kinds. */
export function allRoutes(world: World): readonly AttachedRoute[] {
  return [
    ...[...world.httpRoutes.objects.values()].map((route): AttachedRoute => ({ kind: 'HTTPRoute', route })),
    ...[...world.grpcRoutes.objects.values()].map((route): AttachedRoute => ({ kind: 'GRPCRoute', route })),
  ];
}

/** The routes that a listener of a Gateway takes, oldest first. */
export function attachedTo(world: World, gateway: Gateway, at: Listener): readonly AttachedRoute[] {
  return (
    allRoutes(world)
      .filter(({ kind, route }) =>
        (route.spec.parentRefs ?? []).some((parent) => {
          const namespace = parent.namespace ?? route.metadata.namespace;
          if (!namesGateway(parent) || parent.name !== gateway.metadata.name || namespace !== gateway.metadata.namespace) return false;
          const result = attach(route, kind, parent, gateway, world.namespaceLabels(route.metadata.namespace ?? ''));
          return !isRefusal(result) && result.some((each) => each.name === at.name);
        }),
      )
      // The Gateway API breaks ties by age, then by name.
      .toSorted((one, other) => ageKey(one.route).localeCompare(ageKey(other.route)))
  );
}

const ageKey = (route: Route): string => `${route.metadata.creationTimestamp ?? ''} ${keyOf(route)}`;

/** The Services that routes hang on. */
export function servicesOfMesh(world: World): readonly MeshService[] {
  return meshServices(
    world.services.objects.values(),
    allRoutes(world).toSorted((one, other) => ageKey(one.route).localeCompare(ageKey(other.route))),
  );
}

/** The Gateways of our class. */
export function ourGateways(world: World): readonly Gateway[] {
  return [...world.gateways.objects.values()].filter((gateway) => isOurs(gateway, world.classes.objects));
}
