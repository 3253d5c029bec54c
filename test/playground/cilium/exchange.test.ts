import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../../playground/cilium/envoy/access-log.ts';
import { type ExchangeContext, requestFlow, responseFlow } from '../../../playground/cilium/flows/exchange-flows.ts';
import type { PodFacts } from '../../../playground/cilium/pod-book.ts';
import { pod } from './peers.ts';

const exchange: Exchange = {
  moment: 'ended',
  requestId: 'abc',
  startedAt: 1_000,
  respondedAt: 1_012.5,
  endedAt: 1_013,
  status: 502,
  cluster: 'backend/cilium-gateway-mesh/backend:backend-canary:8080',
  routeName: 'backend/backend/0',
  upstreamPort: 30_000,
  upstream: '127.0.0.1:30000',
  upstreamLocal: '127.0.0.1:40000',
  clientPort: 41_000,
  listenerPort: 10_080,
  method: 'GET',
  url: 'http://backend/items',
  protocol: 'HTTP/1.1',
  headers: {},
  userAgent: 'meshops-probe',
  flags: [],
};

function context(reached: PodFacts | undefined): ExchangeContext {
  return {
    node: 'node-1',
    ingressAddress: '10.244.1.2',
    gateway: { address: '172.18.255.200', port: 80 },
    pod: reached,
    service: { name: 'cilium-gateway-mesh', namespace: 'backend' },
    uuid: () => 'id',
  };
}

describe('an exchange through the Gateway', () => {
  test('the request goes from ingress to the pod, without a code', () => {
    const flow = requestFlow(exchange, context(pod('canary-1', 'node-2')));
    expect(flow).toMatchObject({
      node_name: 'node-1',
      traffic_direction: 'EGRESS',
      event_type: { type: 129 },
      is_reply: { value: false },
      source: { identity: 8, labels: ['reserved:ingress'] },
      destination: { identity: 10_002, namespace: 'backend', pod_name: 'canary-1' },
      IP: { source: '10.244.1.2', destination: '10.244.2.11' },
      l4: { TCP: { source_port: 41_000, destination_port: 8080 } },
      l7: {
        type: 'REQUEST',
        http: {
          method: 'GET',
          url: 'http://backend/items',
          headers: expect.arrayContaining([{ key: 'User-Agent', value: 'meshops-probe' }]),
        },
      },
    });
    expect(flow.l7?.http).not.toHaveProperty('code');
  });

  test('the response goes the other way, with code and latency', () => {
    expect(responseFlow(exchange, context(pod('canary-1', 'node-2')))).toMatchObject({
      is_reply: { value: true },
      source: { pod_name: 'canary-1' },
      destination: { identity: 8 },
      l4: { TCP: { source_port: 8080, destination_port: 41_000 } },
      l7: { type: 'RESPONSE', latency_ns: 12_500_000, http: { code: 502 } },
      time: { seconds: 1, nanos: 12_500_000 },
    });
  });

  test('workload and endpoint id are known for pods of the same node only', () => {
    expect(requestFlow(exchange, context(pod('canary-1', 'node-1'))).destination).toMatchObject({
      ID: 101,
      workloads: [{ name: 'backend-canary' }],
    });
    const remote = requestFlow(exchange, context(pod('canary-1', 'node-2'))).destination;
    expect(remote).not.toHaveProperty('workloads');
    expect(remote).not.toHaveProperty('ID');
  });

  test('when no pod was reached, the other end is the address that the client called', () => {
    const flow = responseFlow({ ...exchange, status: 503 }, context(undefined));
    expect(flow.IP.source).toBe('172.18.255.200');
    expect(flow.source).toEqual({ identity: 2, labels: ['reserved:world'] });
    expect(flow.source_service).toEqual({ name: 'cilium-gateway-mesh', namespace: 'backend' });
  });
});
