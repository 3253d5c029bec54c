import type { RouteWorld } from '../../../playground/cilium/gateway/status.ts';
import type { Gateway, GatewayClass, Route, Service } from '../../../playground/cilium/kube/types.ts';

/** The demo's Gateway; `listener` changes its one listener. */
export function gateway(listener: Partial<Gateway['spec']['listeners'][number]> = {}): Gateway {
  return {
    metadata: { name: 'mesh', namespace: 'backend', generation: 1 },
    spec: { gatewayClassName: 'cilium', listeners: [{ name: 'http', port: 80, protocol: 'HTTP', ...listener }] },
  };
}

/** The demo's route with the given weight for the canary. */
export function route(canary: number, spec: Partial<Route['spec']> = {}): Route {
  return {
    metadata: { name: 'backend', namespace: 'backend', generation: 4 },
    spec: {
      parentRefs: [{ name: 'mesh' }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [
            { name: 'backend', port: 8080, weight: 100 - canary },
            { name: 'backend-canary', port: 8080, weight: canary },
          ],
        },
      ],
      ...spec,
    },
  };
}

const service = (name: string): Service => ({ metadata: { name, namespace: 'backend' }, spec: { ports: [{ port: 8080 }] } });

const gatewayClass = (controllerName: string): GatewayClass => ({ metadata: { name: 'cilium' }, spec: { controllerName } });

/** A cluster with the demo's Gateway and the named Services. */
export function cluster(
  services: readonly string[] = ['backend', 'backend-canary'],
  of: Gateway = gateway(),
  controller = 'io.cilium/gateway-controller',
): RouteWorld {
  return {
    gateways: new Map([['backend/mesh', of]]),
    classes: new Map([['/cilium', gatewayClass(controller)]]),
    services: new Map(services.map((name) => [`backend/${name}`, service(name)])),
    namespaceLabels: () => ({}),
  };
}
