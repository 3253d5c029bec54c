import { expect, test } from 'vitest';
import { meshServices } from '../../../playground/cilium/gateway/mesh-services.ts';
import { serviceEnvoyConfig } from '../../../playground/cilium/gateway/objects.ts';
import { clusterTargets, parseClusterName } from '../../../playground/cilium/gateway/translate.ts';
import type { ParentRef, Route, Service } from '../../../playground/cilium/kube/types.ts';
import { route } from './mesh.ts';

function service(name: string, ports: readonly number[] = [8080], namespace = 'backend'): Service {
  return {
    metadata: { name, namespace },
    spec: { ports: ports.map((port) => ({ port })) },
  };
}
function onService(parent: Partial<ParentRef> = {}, spec: Partial<Route['spec']> = {}): Route {
  return route(10, { parentRefs: [{ group: '', kind: 'Service', name: 'backend', ...parent }], ...spec });
}
function found(services: readonly Service[], ...routes: readonly Route[]) {
  return meshServices(
    services,
    routes.map((each) => ({ kind: 'HTTPRoute', route: each })),
  ).map(({ service: { metadata }, port, routes: mine }) => `${metadata.namespace}/${metadata.name}:${port} ${mine.length}`);
}

test('a route hangs on the port that its parentRef names, or on all', () => {
  expect(found([service('backend', [8080, 9090])], onService({ port: 9090 }))).toEqual(['backend/backend:9090 1']);
  expect(found([service('backend', [8080, 9090])], onService())).toEqual(['backend/backend:8080 1', 'backend/backend:9090 1']);
});

test('routes of Gateways, of other namespaces and for Services that do not exist carry nothing here', () => {
  const services = [service('backend'), service('backend', [8080], 'shop')];
  expect(found(services, route(10))).toEqual([]);
  expect(found(services, onService({ name: 'other' }))).toEqual([]);
  // A consumer route: Cilium does not support it.
  expect(found(services, onService({ namespace: 'shop' }))).toEqual([]);
});

test("the CiliumEnvoyConfig and Envoy's clusters bear the Service's name, and no hostname is asked for", () => {
  const [mesh] = meshServices([service('backend')], [{ kind: 'HTTPRoute', route: onService({}, { hostnames: ['only.example.com'] }) }]);
  if (!mesh) throw new Error('the route hangs on no Service');
  const [name] = clusterTargets('backend/backend', mesh.routes).map((target) => target.name);
  expect(name).toBe('backend/backend/backend:backend:8080');
  expect(parseClusterName(name ?? '')).toEqual({ namespace: 'backend', service: 'backend', port: 8080 });
  const config = serviceEnvoyConfig(mesh);
  expect(config.metadata).toMatchObject({
    name: 'backend',
    namespace: 'backend',
    ownerReferences: [{ kind: 'HTTPRoute', name: 'backend' }],
  });
  expect(JSON.stringify(config)).toContain('"domains":["*"]');
});
