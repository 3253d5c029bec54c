import { expect, test } from 'vitest';
import { byPrecedence, envoyMatch, grpcMatch } from '../../../playground/cilium/gateway/matches.ts';
import {
  clusterTargets,
  gatewayConfig,
  parseClusterName,
  routeConfiguration,
  weightsOf,
} from '../../../playground/cilium/gateway/translate.ts';
import type { Route } from '../../../playground/cilium/kube/types.ts';
import { gateway, route } from './mesh.ts';

interface EnvoyRoute {
  readonly name: string;
  readonly match: Readonly<Record<string, unknown>>;
  readonly direct_response?: { readonly status: number };
  readonly route?: {
    readonly cluster?: string;
    readonly weighted_clusters?: { readonly clusters: readonly { readonly name: string; readonly weight: number }[] };
    readonly cluster_not_found_response_code: string;
    readonly timeout: string;
  };
}

const config = gatewayConfig(gateway());

function hosts(...routes: readonly Route[]) {
  const attached = routes.map((each) => ({ kind: 'HTTPRoute' as const, route: each }));
  const made = routeConfiguration('http', config, undefined, attached) as {
    readonly virtual_hosts: readonly { readonly domains: readonly string[]; readonly routes: readonly EnvoyRoute[] }[];
  };
  return made.virtual_hosts;
}

const stable = 'backend/cilium-gateway-mesh/backend:backend:8080';
const canary = 'backend/cilium-gateway-mesh/backend:backend-canary:8080';

test("weights become weighted clusters under Cilium's names", () => {
  expect(hosts(route(10))[0]?.routes[0]?.route?.weighted_clusters?.clusters).toEqual([
    { name: stable, weight: 90 },
    { name: canary, weight: 10 },
  ]);
});

test('weight 0 sends nothing, yet its cluster is kept warm', () => {
  expect(hosts(route(0))[0]?.routes[0]?.route?.cluster).toBe(stable);
  expect(clusterTargets(config, [{ kind: 'HTTPRoute', route: route(0) }]).map((target) => target.name)).toEqual([stable, canary]);
});

test('a weight left out counts 1, and all weights 0 answer 500', () => {
  const ones = route(0, {
    rules: [
      {
        backendRefs: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1, weight: 3 },
        ],
      },
    ],
  });
  expect(hosts(ones)[0]?.routes[0]?.route?.weighted_clusters?.clusters.map((each) => each.weight)).toEqual([1, 3]);
  expect(weightsOf(ones)).toEqual([{ 'backend/a': 1, 'backend/b': 3 }]);
  const none = route(0, { rules: [{ backendRefs: [{ name: 'a', port: 1, weight: 0 }] }] });
  expect(hosts(none)[0]?.routes[0]?.direct_response).toEqual({ status: 500 });
});

test('the share of a Service without cluster gets 500, and no timeout unless the rule has one', () => {
  expect(hosts(route(10))[0]?.routes[0]?.route).toMatchObject({ cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR', timeout: '0s' });
  const timed = route(0, { rules: [{ backendRefs: [{ name: 'a', port: 1 }], timeouts: { request: '1m500ms' } }] });
  expect(hosts(timed)[0]?.routes[0]?.route?.timeout).toBe('60.5s');
});

test('the more specific match comes first', () => {
  const matches = [
    envoyMatch({ path: { type: 'PathPrefix', value: '/' } }),
    envoyMatch({ path: { type: 'PathPrefix', value: '/items' } }),
    envoyMatch({ path: { type: 'Exact', value: '/items' } }),
    envoyMatch({ path: { type: 'PathPrefix', value: '/items' }, method: 'POST' }),
    envoyMatch({ path: { type: 'PathPrefix', value: '/items' }, headers: [{ name: 'x', value: '1' }] }),
  ];
  const order = matches.toSorted(byPrecedence).map((match) => matches.indexOf(match));
  expect(order).toEqual([2, 3, 4, 1, 0]);
});

test('a prefix ends at a slash, and a gRPC method is a path', () => {
  expect(envoyMatch({ path: { type: 'PathPrefix', value: '/items/' } })).toEqual({ path_separated_prefix: '/items' });
  expect(grpcMatch({ method: { service: 'shop.Cart', method: 'Add' } })).toEqual({ path: '/shop.Cart/Add' });
});

test('each hostname is a host of its own, with and without a port', () => {
  expect(hosts(route(0, { hostnames: ['a.example.com', 'b.example.com'] })).map((host) => host.domains)).toEqual([
    ['a.example.com', 'a.example.com:*'],
    ['b.example.com', 'b.example.com:*'],
  ]);
});

test('cluster names can be read back', () => {
  expect(parseClusterName(canary)).toEqual({ namespace: 'backend', service: 'backend-canary', port: 8080 });
  expect(parseClusterName('access-log')).toBeUndefined();
});
