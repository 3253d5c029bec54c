import { expect, test } from 'vitest';
import { routeParents, sameParents } from '../../../playground/cilium/gateway/status.ts';
import type { Condition, Route } from '../../../playground/cilium/kube/types.ts';
import { cluster, gateway, route } from './mesh.ts';

const at = '2026-01-01T00:00:00Z';

function conditions(of: Route, world = cluster()): readonly string[] {
  return routeParents(of, 'HTTPRoute', world, at).flatMap((parent) =>
    parent.conditions.map((condition) => `${condition.type}=${condition.status} ${condition.reason} @${condition.observedGeneration}`),
  );
}

test('a good route is accepted and resolved for its present generation', () => {
  expect(conditions(route(10))).toEqual(['Accepted=True Accepted @4', 'ResolvedRefs=True ResolvedRefs @4']);
});

test('a backend that does not exist breaks ResolvedRefs and not Accepted', () => {
  expect(conditions(route(10), cluster(['backend']))).toEqual(['Accepted=True Accepted @4', 'ResolvedRefs=False BackendNotFound @4']);
});

test.each<[string, Route, string]>([
  ['no port', route(0, { rules: [{ backendRefs: [{ name: 'backend' }] }] }), 'InvalidKind'],
  ['a port that the Service lacks', route(0, { rules: [{ backendRefs: [{ name: 'backend', port: 1 }] }] }), 'BackendNotFound'],
  ['another kind', route(0, { rules: [{ backendRefs: [{ name: 'backend', kind: 'Pod', port: 1 }] }] }), 'InvalidKind'],
  ['another namespace', route(0, { rules: [{ backendRefs: [{ name: 'x', namespace: 'database', port: 1 }] }] }), 'RefNotPermitted'],
])('a backend with %s is not resolved', (_what, of, reason) => {
  expect(conditions(of)[1]).toBe(`ResolvedRefs=False ${reason} @4`);
});

test('a hostname that the listener does not serve', () => {
  const world = cluster(undefined, gateway({ hostname: '*.example.com' }));
  expect(conditions(route(0, { hostnames: ['shop.example.org'] }), world)[0]).toBe('Accepted=False NoMatchingListenerHostname @4');
  expect(conditions(route(0, { hostnames: ['shop.example.com'] }), world)[0]).toBe('Accepted=True Accepted @4');
});

test('a listener section that does not exist, and one that takes no route of this kind or namespace', () => {
  expect(conditions(route(0, { parentRefs: [{ name: 'mesh', sectionName: 'https' }] }))[0]).toBe('Accepted=False NoMatchingParent @4');
  const grpcOnly = cluster(undefined, gateway({ allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }));
  expect(conditions(route(0), grpcOnly)[0]).toBe('Accepted=False NotAllowedByListeners @4');
  const foreign: Route = { ...route(0), metadata: { name: 'x', namespace: 'frontend', generation: 4 } };
  const fromFrontend = { ...foreign, spec: { ...foreign.spec, parentRefs: [{ name: 'mesh', namespace: 'backend' }] } };
  expect(conditions(fromFrontend)[0]).toBe('Accepted=False NotAllowedByListeners @4');
});

test('routes of a Gateway of another controller get no status from us, and its status is kept', () => {
  const foreign = { parentRef: { name: 'mesh' }, controllerName: 'example.com/other', conditions: [] };
  const of: Route = { ...route(0), status: { parents: [foreign] } };
  expect(routeParents(of, 'HTTPRoute', cluster(undefined, gateway(), 'example.com/other'), at)).toEqual([foreign]);
  expect(routeParents(of, 'HTTPRoute', cluster(), at)).toHaveLength(2);
});

test('the transition time moves only when the status of a condition does', () => {
  const before = routeParents(route(0), 'HTTPRoute', cluster(), at);
  const again: Route = { ...route(10), status: { parents: before } };
  const times = (parents: ReturnType<typeof routeParents>) =>
    parents[0]?.conditions.map((condition: Condition) => condition.lastTransitionTime);
  const later = '2026-01-01T00:01:00Z';
  expect(times(routeParents(again, 'HTTPRoute', cluster(), later))).toEqual([at, at]);
  expect(times(routeParents(again, 'HTTPRoute', cluster(['backend']), later))).toEqual([at, later]);
  expect(sameParents(before, routeParents(again, 'HTTPRoute', cluster(), later))).toBe(true);
});
