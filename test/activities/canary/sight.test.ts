import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { proveSight } from '../../../activities/canary/probe.ts';
import { limitsOf } from '../../../activities/canary/sight.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../../src/domain/canary/details.ts';
import { SILENT } from '../../../src/log.ts';
import { answerFlow, startAgent } from '../support/hubble.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

test.each<[string, Record<string, string>, RegExp | undefined]>([
  ['nothing is hidden by default', {}, undefined],
  ['monitor aggregation hides neither drops nor requests', { 'monitor-aggregation': 'maximum' }, undefined],
  ['drops are off', { 'bpf-events-drop-enabled': 'false' }, /dropped packets/],
  ['events are thinned out', { 'bpf-events-default-rate-limit': '100' }, /beyond 100/],
  ['the ring is small', { 'hubble-event-buffer-capacity': '255' }, /last 255/],
  ['ids are denied', { 'hubble-redact-enabled': 'true', 'hubble-redact-http-headers-deny': 'cookie X-Request-Id' }, /without any answer/],
  ['ids are not allowed', { 'hubble-redact-enabled': 'true', 'hubble-redact-http-headers-allow': 'traceparent' }, /without any answer/],
  ['ids are allowed', { 'hubble-redact-enabled': 'true', 'hubble-redact-http-headers-allow': 'x-request-id' }, undefined],
])('%s', (_, settings, expected) => {
  const limits = limitsOf(settings).join();
  if (expected) expect(limits).toMatch(expected);
  else expect(limits).toBe('');
});

const details = {
  namespace: 'backend',
  routes: [
    {
      ref: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' },
      parents: [{ kind: 'Gateway', namespace: 'backend', name: 'mesh' }],
      rules: [0],
    },
  ],
} as unknown as CanaryDetails;
const route = {
  metadata: { namespace: 'backend', name: 'backend' },
  spec: { hostnames: ['*.example.com'], rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/shop' } }] }] },
} as unknown as Route;

/** A gateway whose requests an agent reports, or does not. */
async function rig(reports: boolean) {
  const agent = await startAgent('node-1');
  const flows = createFlows({ nodes: fixedNodes([agent]), now: Date.now, log: SILENT });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    const flow = answerFlow('node-1', { status: 404 });
    const headers = [{ key: 'X-Meshops-Probe', value: String(request.headers['x-meshops-probe']) }];
    if (reports)
      agent.ring.push({ kind: 'flow', flow: { ...flow, l7: { ...flow.l7, http: { ...flow.l7?.http, headers } } } as typeof flow });
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => flows.close(),
    () => agent.stop(),
    () => server.close(),
  );
  const cluster = { read: async () => undefined } as unknown as Cluster;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, url, deps: { cluster, flows, now: Date.now, probe: { gateways: { 'backend/mesh': url } } } };
}

const never = new AbortController().signal;

test('a probe on the way of the traffic that is seen in flows proves sight', async () => {
  const { deps, asked } = await rig(true);
  expect(await proveSight(deps, details, [route], never)).toBeUndefined();
  expect(asked[0]).toBe('meshops-probe.example.com/shop');
});

test('one that is not seen within five seconds is told before anything is changed', async () => {
  const { deps, url } = await rig(false);
  const problem = await proveSight(deps, details, [route], never);
  expect(problem).toMatchObject({ kind: 'impossible', code: 'Blind' });
  expect(problem?.words).toContain(`a probe to Gateway backend/mesh at ${url}/shop was not seen`);
});

test('without a way in, or where it is off, nothing is claimed', async () => {
  const { deps, asked } = await rig(false);
  expect(await proveSight({ ...deps, probe: { gateways: {} } }, details, [route], never)).toBeUndefined();
  expect(await proveSight({ ...deps, probe: 'off' }, details, [route], never)).toBeUndefined();
  expect(asked).toEqual([]);
});

test('a gRPC canary is refused where no Prometheus tells its errors, which are HTTP 200 in every flow', async () => {
  const { deps } = await rig(true);
  const grpc = { ...details, routes: details.routes.map((one) => ({ ...one, ref: { ...one.ref, kind: 'GRPCRoute' } })) };
  expect(await proveSight({ ...deps, probe: 'off' }, grpc, [route], never)).toMatchObject({ kind: 'impossible', code: 'Blind' });
  const prometheus = { instant: async () => [], range: async () => [] };
  expect(await proveSight({ ...deps, prometheus, probe: 'off' }, grpc, [route], never)).toBeUndefined();
});
