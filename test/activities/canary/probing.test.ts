import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { probingWords, sendProbes } from '../../../activities/canary/probing.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../../src/domain/canary/details.ts';
import { SILENT } from '../../../src/log.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
const details = {
  namespace: 'backend',
  routes: [{ ref, parents: [{ kind: 'Gateway', namespace: 'backend', name: 'mesh' }], rules: [0] }],
} as unknown as CanaryDetails;
const route = { metadata: { namespace: 'backend', name: 'backend' }, spec: { rules: [] } } as unknown as Route;

/** A gateway that answers, or leaves every request waiting. */
async function gateway(answers = true) {
  const asked: { readonly method: string | undefined; readonly url: string | undefined; readonly probe: string }[] = [];
  const server = createServer(({ method, url, headers }, response) => {
    asked.push({ method, url, probe: String(headers['x-meshops-probe']) });
    if (answers) response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ending = new AbortController();
  cleanups.push(
    () => ending.abort(),
    () => void (server.closeAllConnections(), server.close()),
  );
  const cluster = { read: async (one: { kind: string }) => (one.kind === 'HTTPRoute' ? route : undefined) } as unknown as Cluster;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (): Promise<number> =>
    new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
  return { asked, ending, open, deps: { cluster, log: SILENT, probe: { gateways: { 'backend/mesh': url } } } };
}

test('probes go through the gateway as GET with the mark of the operation, at the pace that was asked for, and end with the watch', async () => {
  const { asked, ending, deps } = await gateway();
  const settings = { probes: { perSecond: 20, path: '/healthz?deep=1' }, latencyLimitMs: 1_000 };
  const began = Date.now();
  const sending = sendProbes(deps, { opId: 'canary-k3f2', details, settings }, ending.signal);
  await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(5), { interval: 5 });
  expect(Date.now() - began).toBeGreaterThan(150);
  expect(asked[0]).toMatchObject({ method: 'GET', url: '/healthz?deep=1', probe: expect.stringMatching(/^canary-k3f2\/[0-9a-f-]{36}$/) });
  expect(new Set(asked.map(({ probe }) => probe)).size).toBe(asked.length);
  ending.abort();
  await sending;
});

test('a gateway that answers none of them is left without an open connection when the watch ends', async () => {
  const { asked, ending, open, deps } = await gateway(false);
  const settings = { probes: { perSecond: 20 }, latencyLimitMs: 60_000 };
  const sending = sendProbes(deps, { opId: 'canary-k3f2', details, settings }, ending.signal);
  await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(3), { interval: 5 });
  ending.abort();
  await sending;
  await vi.waitFor(async () => expect(await open()).toBe(0), { interval: 5 });
});

test('none are sent where nobody asked for them, probing is off or there is no way in; people are told why', async () => {
  const { asked, deps, ending } = await gateway();
  const latencyLimitMs = 1_000;
  const probes = { perSecond: 5 };
  await sendProbes(deps, { opId: 'o', details, settings: { latencyLimitMs } }, ending.signal);
  await sendProbes({ ...deps, probe: 'off' }, { opId: 'o', details, settings: { probes, latencyLimitMs } }, ending.signal);
  await sendProbes({ ...deps, probe: { gateways: {} } }, { opId: 'o', details, settings: { probes, latencyLimitMs } }, ending.signal);
  expect(asked).toEqual([]);
  const words = (probe: typeof deps.probe | 'off', settings: object = { probes }): Promise<string | undefined> =>
    probingWords({ ...deps, probe }, details, [route], { latencyLimitMs, ...settings }, ending.signal);
  expect(await words(deps.probe, {})).toBeUndefined();
  expect(await words(deps.probe)).toBe('5 GET / per second of our own through Gateway backend/mesh, told as synthetic');
  expect(await words('off')).toContain('`probe` is off');
  expect(await words({ gateways: {} } as typeof deps.probe)).toContain('no Gateway of these routes can be reached');
});
