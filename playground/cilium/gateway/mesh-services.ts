/**
 * Services that routes hang on (GAMMA): what is sent to their cluster address goes through the Envoy of the client's node and is split by the
 * routes' weights (v1.20.2 operator/pkg/gateway-api/gamma_reconcile.go). Only routes of the Service's own namespace count.
 */
import { keyOf, type ParentRef, type Route, type Service } from '../kube/types.ts';
import { namesService } from './attach.ts';
import type { AttachedRoute } from './translate.ts';

export interface MeshService {
  readonly service: Service;
  readonly port: number;
  /** Oldest first. */
  readonly routes: readonly AttachedRoute[];
}

/** Ports of the Service that a parentRef means: the one it names, else all. */
function portsMeant(parent: ParentRef, route: Route, service: Service): readonly number[] {
  const namespace = parent.namespace ?? route.metadata.namespace;
  if (!namesService(parent) || parent.name !== service.metadata.name) return [];
  if (namespace !== service.metadata.namespace || namespace !== route.metadata.namespace) return [];
  return (service.spec.ports ?? []).map(({ port }) => port).filter((port) => parent.port === undefined || parent.port === port);
}

/** A Service answers to every name it is called by: Cilium takes no notice of the hostnames of such a route (cilium/cilium #38415). */
const anyHost = ({ kind, route }: AttachedRoute): AttachedRoute => ({ kind, route: { ...route, spec: { ...route.spec, hostnames: [] } } });

/** Every Service and port that a route hangs on, by name; `routes` oldest first. */
export function meshServices(services: Iterable<Service>, routes: readonly AttachedRoute[]): readonly MeshService[] {
  return [...services]
    .toSorted((one, other) => keyOf(one).localeCompare(keyOf(other)))
    .flatMap((service) =>
      (service.spec.ports ?? []).flatMap(({ port }) => {
        const mine = routes.filter(({ route }) =>
          (route.spec.parentRefs ?? []).some((parent) => portsMeant(parent, route, service).includes(port)),
        );
        return mine.length === 0 ? [] : [{ service, port, routes: mine.map(anyHost) }];
      }),
    );
}
