import { expect, test } from 'vitest';
import { unprovedWords } from '../../../activities/canary/probe.ts';
import { wayIn } from '../../../activities/canary/way.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../../src/domain/canary/details.ts';

const LISTENERS = [
  { name: 'http', port: 80, protocol: 'HTTP' },
  { name: 'https', port: 443, protocol: 'HTTPS', hostname: '*.example.com', tls: { mode: 'Terminate' } },
  { name: 'raw', port: 8443, protocol: 'TLS', tls: { mode: 'Passthrough' } },
  { name: 'inner', port: 8080, protocol: 'HTTP', hostname: 'inner.example.com' },
];
const signal = new AbortController().signal;

async function wayOf(spec: object, { listeners = LISTENERS, kind = 'HTTPRoute', rules = [0] } = {}) {
  const gateway = { spec: { listeners }, status: { addresses: [{ value: '192.0.2.1' }] } };
  const cluster = { read: async () => gateway } as unknown as Cluster;
  const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind, namespace: 'shop', name: 'web' };
  const parents = [{ kind: 'Gateway', namespace: 'infra', name: 'public' }];
  const details = { namespace: 'shop', routes: [{ ref, parents, rules }] } as unknown as CanaryDetails;
  const route = { metadata: { namespace: 'shop', name: 'web' }, spec } as unknown as Route;
  const way = await wayIn(cluster, { gateways: {} }, details, [route], signal);
  return { way, words: await unprovedWords({ cluster, probe: { gateways: {} } }, details, [route], signal) };
}
const parent = (more: object) => [{ name: 'public', namespace: 'infra', ...more }];

test('a route that names a listener is probed through that one', async () => {
  const hostnames = ['shop.example.com'];
  expect((await wayOf({ hostnames, parentRefs: parent({ sectionName: 'https' }) })).way).toMatchObject({
    gateway: 'infra/public',
    url: 'https://192.0.2.1/',
    host: 'shop.example.com',
  });
  expect((await wayOf({ hostnames, parentRefs: parent({ port: 443 }) })).way).toMatchObject({ url: 'https://192.0.2.1/' });
  expect((await wayOf({ hostnames, parentRefs: parent({}) })).way).toMatchObject({ url: 'http://192.0.2.1/' });
});

test('the name is one that listener and route share', async () => {
  expect((await wayOf({ parentRefs: parent({ sectionName: 'https' }) })).way).toMatchObject({ host: 'meshops-probe.example.com' });
  const inner = { hostnames: ['*.example.com'], parentRefs: parent({ sectionName: 'inner' }) };
  expect((await wayOf(inner)).way).toMatchObject({ url: 'http://192.0.2.1:8080/', host: 'inner.example.com' });
  expect((await wayOf({ parentRefs: parent({ sectionName: 'http' }) })).way).toMatchObject({ host: '192.0.2.1' });
});

test('where no request can be made the plan says that it cannot be probed, and why', async () => {
  const raw = await wayOf({ parentRefs: parent({ sectionName: 'raw' }) });
  expect(raw.words).toContain('it cannot be probed (no Gateway of these routes can be reached');
  const other = await wayOf({ hostnames: ['shop.example.org'], parentRefs: parent({ sectionName: 'https' }) });
  expect(other.way).toHaveProperty('reason');
  const writes = await wayOf({ parentRefs: parent({}), rules: [{ matches: [{ method: 'POST' }] }] });
  expect(writes.words).toContain('cannot be probed (no request can be made for shop/web: the rule takes POST only');
  expect((await wayOf({ parentRefs: parent({}) })).words).toBeUndefined();
});

test('a request carries what the moved rule matches', async () => {
  const matches = [{ path: { type: 'PathPrefix', value: '/api' }, method: 'HEAD', headers: [{ name: 'X-Version', value: '2' }] }];
  const rules = [{ matches: [{ path: { type: 'PathPrefix', value: '/static' } }] }, { matches }];
  expect((await wayOf({ parentRefs: parent({}), rules }, { rules: [1] })).way).toMatchObject({
    url: 'http://192.0.2.1/api',
    method: 'HEAD',
    headers: { 'x-version': '2' },
  });
});
