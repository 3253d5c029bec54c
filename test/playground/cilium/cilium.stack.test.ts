import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Cilium, startCilium } from '../../../playground/cilium/cilium.ts';
import { createKube, type Kube } from '../../../playground/cilium/kube/client.ts';
import { resources } from '../../../playground/cilium/kube/resources.ts';
import type { Deployment, Gateway, Route } from '../../../playground/cilium/kube/types.ts';
import { until } from '../../../playground/cilium/until.ts';
import { type Stack, startStack } from '../../../playground/cluster/stack.ts';
import { collect, type Observed, observerAt } from './hubble.ts';

const never = new AbortController().signal;
const now = (): number => performance.timeOrigin + performance.now();
const soon = (what: string, done: () => boolean | Promise<boolean>) => until(done, { what, withinMs: 15_000, signal: never });

let stack: Stack;
let cilium: Cilium;
let kube: Kube;

beforeAll(async () => {
  stack = await startStack({ signal: never, progress: () => undefined });
  cilium = await startCilium({ stack, seed: 7, signal: never });
  kube = createKube({ url: stack.kube.url, caFile: stack.kube.caFile, token: stack.kube.token('admin') });
});

afterEach(() => cilium.faults.mend());

afterAll(async () => {
  await cilium?.stop();
  kube?.close();
  await stack?.stop();
});

const backend = { metadata: { name: 'backend', namespace: 'backend' } };

/** Writes the two weights; resolves to the times (Unix ms) of the write and of Envoy having it in force. */
async function weigh(stable: number, canary: number, service = 'backend-canary') {
  const writtenAt = now();
  const backendRefs = [
    { name: 'backend', port: 8080, weight: stable },
    { name: service, port: 8080, weight: canary },
  ];
  await kube.merge(resources.httpRoutes, backend, { spec: { rules: [{ backendRefs }] } });
  const latest = () => cilium.truth.weights.at(-1);
  await soon(
    'The weights are not in force',
    () => latest()?.weights[0]?.[`backend/${service}`] === canary && latest()?.inForceAt !== undefined,
  );
  return { writtenAt, inForceAt: latest()?.inForceAt ?? 0 };
}

const pods = async (): Promise<Deployment> => kube.get<Deployment>(resources.deployments, 'backend', 'backend-canary');

test('pods, nodes, endpoints and identities are in the cluster, and the Gateway is programmed', async () => {
  // Agents write them some time after a pod is up.
  await soon('Endpoints are missing', async () => (await kube.list(resources.ciliumEndpoints)).items.length === 13);
  expect((await kube.list(resources.ciliumNodes)).items.map((node) => node.metadata.name)).toEqual(['node-1', 'node-2', 'node-3']);
  expect((await kube.list(resources.ciliumIdentities)).items).toHaveLength(6);
  const gateway = await kube.get<Gateway>(resources.gateways, 'backend', 'mesh');
  expect(gateway.status?.['addresses']).toEqual([{ type: 'IPAddress', value: cilium.gateway.address }]);
  const answer = await fetch(cilium.gateway.url);
  expect(await answer.json()).toMatchObject({ version: 'v1', ok: true });
});

test('a written weight is in force as soon as a real idle operator has it, within 230 ms and what this machine takes, the status follows its generation, and the requests split as written', async () => {
  // The machine may be busy at any one of them; the simulator is not quicker by chance.
  const delays: number[] = [];
  for (const canary of [10, 20, 30]) {
    const { writtenAt, inForceAt } = await weigh(100 - canary, canary);
    delays.push(inForceAt - writtenAt);
  }
  expect(Math.min(...delays)).toBeLessThan(400);
  await soon('The status lags', async () => {
    const route = await kube.get<Route>(resources.httpRoutes, 'backend', 'backend');
    const conditions = route.status?.parents?.[0]?.conditions ?? [];
    return (
      conditions.length === 2 && conditions.every((each) => each.status === 'True' && each.observedGeneration === route.metadata.generation)
    );
  });
  cilium.faults.load(300);
  const from = now();
  const wanted = 1_500;
  await soon('The load is thin', () => cilium.truth.counts(from, now()).total >= wanted);
  cilium.faults.load(100);
  const [all, canary] = [cilium.truth.counts(from, now()), cilium.truth.counts(from, now(), 'backend-canary')];
  // Five standard deviations of a binomial: one run in two million is off by chance.
  const tolerance = 5 * Math.sqrt((0.3 * 0.7) / all.total);
  expect(Math.abs(canary.total / all.total - 0.3)).toBeLessThan(tolerance);
  expect(all.failed).toBe(0);
});

test('500s of the canary arrive on the Observer stream of the gateway node with the labels of its pods', async () => {
  await weigh(80, 20);
  const client = observerAt(cilium.nodes.find((node) => node.name === cilium.faults.gatewayNode)?.hubbleAddress ?? '', cilium.hubbleTls);
  const stream = client.GetFlows({ follow: true, whitelist: [{ http_status_code: ['5+'], source_label: ['version=v2'] }] });
  const { seen } = collect(stream);
  const from = now();
  cilium.faults.errorRate('backend-canary', 1, 502);
  await soon('No failing flow', () => seen.length >= 5);
  const lag = now() - from;
  stream.cancel();
  client.close();
  for (const { flow } of seen) {
    expect(flow?.l7).toMatchObject({ type: 'RESPONSE', http: { code: 502 } });
    expect(flow?.source).toMatchObject({ namespace: 'backend', labels: expect.arrayContaining(['k8s:app=backend', 'k8s:version=v2']) });
    expect(flow?.source.pod_name).toMatch(/^backend-canary-/);
    expect(flow?.destination).toMatchObject({ identity: 8, labels: ['reserved:ingress'] });
  }
  expect(cilium.truth.firstHarm(from, 'backend-canary')).toBeLessThan(from + lag);
});

/** Failed exchanges from now on, as the Observer tells them. */
async function failuresSeen(
  cause: () => Promise<unknown> | void,
  code: number,
  wanted: (observed: Observed) => boolean = () => true,
): Promise<readonly Observed[]> {
  const client = observerAt(cilium.nodes[0]?.hubbleAddress ?? '', cilium.hubbleTls);
  const stream = client.GetFlows({ follow: true, whitelist: [{ http_status_code: [String(code)] }] });
  const { seen } = collect(stream);
  await cause();
  await soon(`No ${code}`, () => seen.filter(wanted).length >= 3);
  stream.cancel();
  client.close();
  return seen.filter(wanted);
}

test('without a ready endpoint the share gets 503 under the address of the Gateway, and it heals', async () => {
  await weigh(50, 50);
  const seen = await failuresSeen(
    () => cilium.faults.crash('backend-canary'),
    503,
    ({ flow }) => !flow?.source.pod_name,
  );
  await soon('The pods stay ready', async () => ((await pods()).status?.['readyReplicas'] ?? 0) === 0);
  for (const { flow } of seen) expect(flow?.IP.source).toBe(cilium.gateway.address);
  cilium.faults.mend();
  await soon('The pods stay down', async () => (await pods()).status?.['readyReplicas'] === 2);
  const from = now();
  await soon('Too few requests', () => cilium.truth.counts(from + 500, now(), 'backend-canary').total > 20);
  expect(cilium.truth.counts(from + 500, now(), 'backend-canary').failed).toBe(0);
});

test('a Service that does not exist costs its share a 500 and the route its ResolvedRefs', async () => {
  await failuresSeen(() => weigh(50, 50, 'missing'), 500);
  const route = await kube.get<Route>(resources.httpRoutes, 'backend', 'backend');
  expect(route.status?.parents?.[0]?.conditions.find((each) => each.type === 'ResolvedRefs')?.reason).toBe('BackendNotFound');
  const { total, failed } = cilium.truth.counts(0, now(), 'backend/missing');
  expect(failed).toBe(total);
  await weigh(100, 0);
});

test('a hanging canary gives requests without responses', async () => {
  await weigh(50, 50);
  cilium.faults.hang('backend-canary');
  const client = observerAt(cilium.nodes[0]?.hubbleAddress ?? '', cilium.hubbleTls);
  const stream = client.GetFlows({ follow: true, whitelist: [{ protocol: ['http'] }] });
  const { seen } = collect(stream);
  await wait(1_500);
  stream.cancel();
  client.close();
  const of = (type: string) => seen.filter(({ flow }) => flow?.l7?.type === type);
  const toCanary = of('REQUEST').filter(({ flow }) => flow?.destination.pod_name?.startsWith('backend-canary-'));
  const fromCanary = of('RESPONSE').filter(({ flow }) => flow?.source.pod_name?.startsWith('backend-canary-'));
  expect(toCanary.length).toBeGreaterThan(10);
  expect(fromCanary.length).toBeLessThan(3);
  await weigh(100, 0);
});

test('lost events reach every stream, an unavailable node ends them, and it comes back on its port', async () => {
  const node = cilium.nodes[1];
  const client = observerAt(node?.hubbleAddress ?? '', cilium.hubbleTls);
  const stream = collect(client.GetFlows({ follow: true, whitelist: [{ uuid: ['none'] }] }));
  await soon('The stream is not up', async () => {
    cilium.faults.lostEvents('node-2', 7);
    await wait(20);
    return stream.seen.length > 0;
  });
  expect(stream.seen[0]?.lost_events).toMatchObject({ source: 'OBSERVER_EVENTS_QUEUE', num_events_lost: 7 });
  await cilium.faults.nodeUnavailable('node-2', true);
  expect(await stream.ended).not.toBe('end');
  client.close();
  await cilium.faults.nodeUnavailable('node-2', false);
  const again = observerAt(node?.hubbleAddress ?? '', cilium.hubbleTls);
  const status = await new Promise<number | undefined>((resolve) => again.ServerStatus({}, (_error, reply) => resolve(reply?.max_flows)));
  again.close();
  expect(status).toBe(4_095);
});

test('east-west connections that no policy selects have no verdict: traces where they leave and where they arrive', async () => {
  const told: Observed[] = [];
  for (const node of cilium.nodes) {
    const client = observerAt(node.hubbleAddress, cilium.hubbleTls);
    const { seen, ended } = collect(client.GetFlows({ whitelist: [{ destination_port: ['5432'], protocol: ['tcp'] }] }));
    await ended;
    client.close();
    // A ring also tells what it has lost, whatever is asked for.
    told.push(...seen.filter(({ flow }) => flow !== undefined));
  }
  expect(new Set(told.map(({ flow }) => flow?.event_type.type))).toEqual(new Set([4]));
  expect(new Set(told.map(({ flow }) => flow?.traffic_direction))).toEqual(new Set(['EGRESS']));
  expect(new Set(told.map(({ flow }) => flow?.trace_observation_point))).toEqual(new Set(['TO_OVERLAY', 'TO_ENDPOINT']));
  expect(new Set(told.map(({ flow }) => flow?.destination.namespace))).toEqual(new Set(['database']));
});

test('a Deployment scales and rolls without a failed request', async () => {
  await weigh(50, 50);
  // Slow answers, so that some are under way at any moment.
  cilium.faults.latency('backend-canary', 150);
  const from = now();
  await kube.merge(resources.deployments, await pods(), { spec: { replicas: 4 } });
  await soon('It did not grow', async () => (await pods()).status?.['readyReplicas'] === 4);
  await kube.merge(resources.deployments, await pods(), { spec: { template: { metadata: { annotations: { rolled: 'yes' } } } } });
  await soon('It did not roll', async () => {
    const status = (await pods()).status ?? {};
    return (
      status['observedGeneration'] === 3 && status['updatedReplicas'] === 4 && status['replicas'] === 4 && status['readyReplicas'] === 4
    );
  });
  await kube.merge(resources.deployments, await pods(), { spec: { replicas: 2 } });
  await soon('It did not shrink', async () => (await pods()).status?.['replicas'] === 2);
  // The servers of the pods that went close a little after them: the requests of that time count too.
  const shrunk = now();
  await soon('Too few requests', () => cilium.truth.counts(shrunk, now()).total > 100);
  // By start, since requests that hung in an earlier test may end only now.
  expect(cilium.truth.requests.filter((request) => request.startedAt >= from && !request.ok)).toEqual([]);
  await weigh(100, 0);
});

test("Prometheus has the agents' and Envoy's own series under Cilium's names", async () => {
  const has = async (query: string): Promise<boolean> => {
    const answer = await fetch(`${stack.prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    return ((await answer.json()) as { readonly data: { readonly result: readonly unknown[] } }).data.result.length > 0;
  };
  for (const query of [
    'hubble_http_requests_total{status="200",destination_namespace="backend"}',
    'hubble_lost_events_total{source="hubble_ring_buffer"} == 0',
    'envoy_cluster_upstream_rq_xx{envoy_cluster_name="backend/cilium-gateway-mesh/backend_backend_8080",envoy_response_code_class="2"}',
  ]) {
    await soon(query, () => has(query));
  }
});
