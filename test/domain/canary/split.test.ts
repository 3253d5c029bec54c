import { describe, expect, it } from 'vitest';
import { createSplit, routeKey, type SplitRoute } from '../../../src/domain/canary/split.ts';

const GATEWAY = 'Gateway/backend/mesh';
const split = [{ name: 'backend' }, { name: 'backend-canary' }];
function route(name: string, rules: SplitRoute['rules'], over: Partial<SplitRoute> = {}): SplitRoute {
  return {
    kind: 'HTTPRoute',
    namespace: 'backend',
    name,
    createdAt: '2026-01-01',
    hostnames: [],
    parents: [[GATEWAY, '']],
    rules,
    ...over,
  };
}
const prefix = (value: string) => ({ path: { type: 'PathPrefix', value } });
const services = new Set(['backend/backend', 'backend/backend-canary']);
function of(routes: readonly SplitRoute[], moved: Record<string, readonly number[]> = { 'backend/web': [0] }) {
  return createSplit(routes, new Map(routes.map((one) => [routeKey(one), moved[`${one.namespace}/${one.name}`] ?? []])), services);
}
function asked(path: string, over: object = {}) {
  return {
    method: 'GET',
    host: 'shop.example',
    path,
    query: new Map(),
    headers: new Map([['x', 'y']]),
    ...over,
  };
}

describe('a request came through the split', () => {
  it('when the most specific rule that takes it is a moved one', () => {
    const { isMoved } = of([
      route('web', [
        { matches: [prefix('/')], backendRefs: split },
        { matches: [prefix('/static')], backendRefs: [{ name: 'backend' }] },
      ]),
    ]);
    expect([isMoved(asked('/')), isMoved(asked('/cart')), isMoved(asked('/statics'))]).toEqual([true, true, true]);
    expect([isMoved(asked('/static')), isMoved(asked('/static/a'))]).toEqual([false, false]);
  });

  it('by host first, then exact path, longer prefix, method, headers, the older route', () => {
    const moved = route('web', [{ matches: [prefix('/api')], backendRefs: split }], { hostnames: ['*.example'] });
    const other = (name: string, match: object, over: Partial<SplitRoute> = {}) =>
      route(name, [{ matches: [match], backendRefs: [{ name: 'backend' }] }], {
        hostnames: ['*.example'],
        createdAt: '2026-02-01',
        ...over,
      });
    const winsOver = (rival: SplitRoute, over: object = {}) => of([moved, rival]).isMoved(asked('/api/x', over));
    expect(winsOver(other('host', prefix('/'), { hostnames: ['shop.example'] }))).toBe(false);
    expect(winsOver(other('exact', { path: { type: 'Exact', value: '/api/x' } }))).toBe(false);
    expect(winsOver(other('longer', prefix('/api/x')))).toBe(false);
    expect(winsOver(other('shorter', prefix('/')))).toBe(true);
    expect(winsOver(other('method', { ...prefix('/api'), method: 'GET' }))).toBe(false);
    expect(winsOver(other('method', { ...prefix('/api'), method: 'GET' }), { method: 'POST' })).toBe(true);
    expect(winsOver(other('header', { ...prefix('/api'), headers: [{ name: 'X', value: 'y' }] }))).toBe(false);
    expect(winsOver(other('header', { ...prefix('/api'), headers: [{ name: 'X', value: 'z' }] }))).toBe(true);
    expect(winsOver(other('newer', prefix('/api')))).toBe(true);
    expect(winsOver(other('older', prefix('/api'), { createdAt: '2025-01-01' }))).toBe(false);
  });

  it('not when what decides it is redacted or not logged', () => {
    const rival = route('rival', [
      { matches: [{ ...prefix('/'), headers: [{ name: 'x', value: 'y' }] }], backendRefs: [{ name: 'backend' }] },
    ]);
    const { isMoved } = of([route('web', [{ matches: [prefix('/')], backendRefs: split }]), rival]);
    expect(isMoved(asked('/', { headers: new Map([['x', 'HUBBLE_REDACTED']]) }))).toBe(false);
    expect(isMoved(asked('/', { headers: undefined }))).toBe(false);
    expect(isMoved(asked('/', { headers: new Map([['x', 'no']]) }))).toBe(true);
  });

  it('not when another Gateway may have sent it by a rule that does not move', () => {
    const web = route('web', [{ matches: [prefix('/')], backendRefs: split }]);
    const inside = route('inside', [{ matches: [prefix('/internal')], backendRefs: [{ name: 'backend' }] }], {
      parents: [['Gateway/backend/inside', '']],
    });
    const { isMoved } = of([web, inside]);
    expect([isMoved(asked('/')), isMoved(asked('/internal'))]).toEqual([true, false]);
    expect(of([]).isMoved(asked('/'))).toBe(false);
  });

  it('of a listener, by the routes of that listener and of all', () => {
    const https = route('web', [{ matches: [prefix('/')], backendRefs: split }], { parents: [[GATEWAY, 'https']] });
    const redirect = route('redirect', [{ matches: [prefix('/')] }], { parents: [[GATEWAY, 'http']] });
    expect(of([https]).isMoved(asked('/'))).toBe(true);
    // A rule that only redirects has brought nothing to a pod; one that names a Service may have.
    expect(of([https, redirect]).isMoved(asked('/'))).toBe(true);
    const plain = route('plain', [{ matches: [prefix('/')], backendRefs: [{ name: 'backend' }] }], { parents: [[GATEWAY, 'http']] });
    expect(of([https, plain]).isMoved(asked('/'))).toBe(false);
  });

  it('of gRPC, by service and method', () => {
    const grpc = route('web', [{ matches: [{ method: { service: 'shop.Ledger' } }], backendRefs: split }], { kind: 'GRPCRoute' });
    expect([of([grpc]).isMoved(asked('/shop.Ledger/Get')), of([grpc]).isMoved(asked('/shop.Other/Get'))]).toEqual([true, false]);
  });
});
