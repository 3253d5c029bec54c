import { describe, expect, it } from 'vitest';
import { logEntry } from '../../../playground/real/gateway/records.ts';
import { sharesOf, shareText, translate } from '../../../playground/real/gateway/resources.ts';

const typed = (name: string): string => `type.googleapis.com/envoy.${name}`;

/** As the operator of Cilium 1.20.2 wrote it for the demo's Gateway, without what does not matter here. */
const CONFIG = {
  metadata: { namespace: 'backend', name: 'cilium-gateway-mesh' },
  spec: {
    resources: [
      {
        '@type': typed('config.listener.v3.Listener'),
        name: 'listener',
        listenerFilters: [{ name: 'cilium.bpf_metadata' }, { name: 'envoy.filters.listener.tls_inspector' }],
        filterChains: [
          { filterChainMatch: { transportProtocol: 'tls' } },
          {
            filterChainMatch: { transportProtocol: 'raw_buffer' },
            filters: [
              {
                name: 'envoy.filters.network.http_connection_manager',
                typedConfig: {
                  '@type': typed('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
                  httpFilters: [
                    { name: 'cilium.l7policy' },
                    {
                      name: 'envoy.filters.http.router',
                      typedConfig: { '@type': typed('extensions.filters.http.router.v3.Router') },
                    },
                  ],
                  rds: { routeConfigName: 'listener-insecure' },
                  statPrefix: 'listener-insecure',
                },
              },
            ],
          },
        ],
      },
      {
        '@type': typed('config.route.v3.RouteConfiguration'),
        name: 'listener-insecure',
        virtualHosts: [
          {
            domains: ['*'],
            routes: [
              {
                match: { prefix: '/' },
                route: {
                  weightedClusters: {
                    clusters: [
                      { name: 'backend:backend:8080', weight: 90 },
                      { name: 'backend:backend-canary:8080', weight: 10 },
                    ],
                  },
                },
              },
            ],
          },
        ],
      },
      {
        '@type': typed('config.cluster.v3.Cluster'),
        name: 'backend:backend:8080',
        type: 'EDS',
        edsClusterConfig: { serviceName: 'backend/backend:8080' },
      },
    ],
  },
};

const QUALIFIED = 'backend/cilium-gateway-mesh/';

describe("the operator's configuration for a plain Envoy", () => {
  const { clusters, listeners, routes, services, statPrefix } = translate(CONFIG, '/envoy', '172.18.255.200', 80);

  it('has the names that an agent gives, and no filter that only Cilium has', () => {
    expect(clusters.map(({ name }) => name)).toEqual([`${QUALIFIED}backend:backend:8080`]);
    expect([...services]).toEqual([[`${QUALIFIED}backend:backend:8080`, 'backend/backend:8080']]);
    expect(routes.map(({ name }) => name)).toEqual([`${QUALIFIED}listener-insecure`]);
    expect(statPrefix).toBe('listener-insecure');
    expect(JSON.stringify(listeners)).not.toMatch(/cilium\.|transportProtocol":"tls/);
    expect(listeners[0]).toMatchObject({ address: { socketAddress: { address: '172.18.255.200', portValue: 80 } } });
  });

  it('says which shares are in it, whole numbers or all', () => {
    const [stable, canary] = [`${QUALIFIED}backend:backend:8080`, `${QUALIFIED}backend:backend-canary:8080`];
    expect([...sharesOf(routes)]).toEqual([`${canary}=10 ${stable}=90`]);
    expect(shareText([[stable, 100]])).toBe(
      shareText([
        [stable, 1],
        [canary, 0],
      ]),
    );
  });
});

it('an exchange is told to the agent as Cilium tells it', () => {
  const exchange = {
    moment: 'ended',
    requestId: 'r-1',
    startedAt: 1_000.25,
    endedAt: 1_010,
    status: 503,
    cluster: '',
    routeName: '',
    upstreamPort: 8080,
    upstream: '10.244.1.5:8080',
    upstreamLocal: '10.244.1.3:40000',
    clientPort: 1,
    listenerPort: 80,
    method: 'GET',
    url: 'http://shop.example.com/items?q=1',
    protocol: 'HTTP/1.1',
    userAgent: 'curl',
    headers: {},
    flags: [],
  } as const;
  const reached = { address: exchange.upstream, identity: 4_711 };
  expect(logEntry('Request', exchange, reached, exchange.upstreamLocal)).toMatchObject({
    timestamp: '1000250000',
    entryType: 'Request',
    policyName: '10.244.1.3',
    sourceSecurityId: 8,
    destinationSecurityId: 4_711,
    http: { httpProtocol: 'HTTP11', scheme: 'http', host: 'shop.example.com', path: '/items?q=1', method: 'GET' },
  });
  expect(logEntry('Response', exchange, reached, exchange.upstreamLocal)).toMatchObject({ timestamp: '1010000000', http: { status: 503 } });
});
