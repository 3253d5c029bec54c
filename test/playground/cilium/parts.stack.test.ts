import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { followCounters } from '../../../activities/canary/counters.ts';
import { type Cilium, startCilium } from '../../../playground/cilium/cilium.ts';
import { createKube, type Kube } from '../../../playground/cilium/kube/client.ts';
import { resources } from '../../../playground/cilium/kube/resources.ts';
import type { KubeObject, Service } from '../../../playground/cilium/kube/types.ts';
import type { Part } from '../../../playground/cilium/parts.ts';
import { until } from '../../../playground/cilium/until.ts';
import { type Stack, startStack } from '../../../playground/cluster/stack.ts';
import { connectPrometheus } from '../../../src/clients/prometheus/prometheus.ts';
import type { RequestEvidence } from '../../../src/domain/judge/evidence.ts';
import { SILENT } from '../../../src/log.ts';
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

async function weigh(of: typeof resources.httpRoutes, name: string, port: number, canary: number): Promise<void> {
  const backendRefs = [
    { name, port, weight: 100 - canary },
    { name: `${name}-canary`, port, weight: canary },
  ];
  await kube.merge(of, { metadata: { name, namespace: 'backend' } }, { spec: { rules: [{ backendRefs }] } });
  const latest = () => cilium.truth.weights.findLast(({ route }) => route === `backend/${name}`);
  await soon(
    'The weights are not in force',
    () => latest()?.weights[0]?.[`backend/${name}-canary`] === canary && latest()?.inForceAt !== undefined,
  );
}

/** L7 records of every node from now on, until `end`. */
function follow(labels: readonly string[]) {
  const clients = cilium.nodes.map(({ hubbleAddress }) => observerAt(hubbleAddress, cilium.hubbleTls));
  const whitelist = [{ source_label: labels }, { destination_label: labels }];
  const streams = clients.map((client) => client.GetFlows({ follow: true, whitelist }));
  const all = streams.map((stream) => collect(stream).seen);
  return {
    seen: (): readonly Observed[] => all.flat().filter(({ flow }) => flow?.l7?.http !== undefined),
    end: () => {
      for (const stream of streams) stream.cancel();
      for (const client of clients) client.close();
    },
  };
}

/** Envoy's counters of a cluster: names without `cluster.<name>.` to values. */
async function countersOf(cluster: string, name: RegExp): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(cilium.metrics.envoy)).text();
  const lines = text.split('\n').filter((line) => line.includes(`envoy_cluster_name="${cluster}"`) && name.test(line));
  return Object.fromEntries(lines.map((line) => [line.replace(/\{.*/, ''), Number(line.split(' ').at(-1))]));
}

function call(path = '/grpc.health.v1.Health/Check'): Promise<{ readonly code: number; readonly body: string }> {
  const client = new Client(new URL(cilium.gateway.url).host, credentials.createInsecure(), {
    'grpc.default_authority': 'ledger.example.com',
    'grpc.enable_retries': 0,
  });
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), { deadline: Date.now() + 5_000 }, (error, answer) => {
      client.close();
      resolve({ code: error?.code ?? status.OK, body: answer?.toString('hex') ?? '' });
    });
  });
}

describe('ledger: gRPC through the Gateway', () => {
  const cluster = 'backend/cilium-gateway-mesh/backend_ledger-canary_9090';
  let part: Part;
  beforeAll(async () => {
    part = await cilium.parts.start('ledger');
  });
  afterAll(() => part?.stop());

  test('a gRPC client gets a real answer, and other traffic of the Gateway is untouched', async () => {
    expect(await call()).toEqual({ code: status.OK, body: '0801' });
    expect(await (await fetch(cilium.gateway.url)).json()).toMatchObject({ ok: true });
    expect((await call('/unknown.Thing/Do')).code).toBe(status.UNIMPLEMENTED);
  });

  test("failures are HTTP 200 over HTTP/2 in Hubble, and have their status in Envoy's counters and in the true record", async () => {
    await weigh(resources.grpcRoutes, 'ledger', 9_090, 50);
    const from = now();
    cilium.faults.grpcErrors('ledger-canary', 1);
    const flows = follow(['version=v2,app=ledger']);
    await soon('No failures', () => cilium.truth.counts(from, now(), 'ledger-canary').failed >= 20);
    flows.end();
    const answers = flows.seen().filter(({ flow }) => flow?.l7?.type === 'RESPONSE');
    expect(answers.length).toBeGreaterThan(10);
    for (const { flow } of answers) {
      expect(flow?.l7?.http).toMatchObject({ code: 200, protocol: 'HTTP/2', method: 'POST' });
      expect(JSON.stringify(flow)).not.toContain('grpc-status');
    }
    expect(cilium.truth.counts(from + 500, now(), 'backend/ledger').failed).toBe(0);
    const counted = await countersOf(cluster, /grpc_14/);
    expect(counted['envoy_cluster_grpc_14']).toBeGreaterThanOrEqual(20);
    expect(cilium.truth.requests.find(({ ok, at, service }) => !ok && at > from && service === 'backend/ledger-canary')).toMatchObject({
      status: 200,
      grpcStatus: 14,
    });
  });
});

/** What the product hears of the canary from Envoy's counters in the real Prometheus while `story` is told. */
async function counted(story: () => Promise<void>): Promise<readonly RequestEvidence[]> {
  const heard: RequestEvidence[] = [];
  const stop = new AbortController();
  const services = [
    ['ledger', 'stable'],
    ['ledger-canary', 'canary'],
  ] as const;
  const following = followCounters(
    { prometheus: connectPrometheus({ url: stack.prometheus.url }), now: Date.now, log: SILENT },
    { namespace: 'backend', services, grpc: true, shown: () => 0, isTold: () => false, left: () => 0, isWhole: true },
    (event) => void (event.kind === 'request' && event.side === 'canary' && heard.push(event)),
    stop.signal,
  );
  const sees = (): boolean => heard.some(({ failed }) => !failed);
  await soon('Nothing is counted', sees);
  await story();
  stop.abort();
  await following;
  return heard;
}

describe('what the product counts of gRPC', () => {
  let part: Part;
  beforeAll(async () => {
    part = await cilium.parts.start('ledger');
    await weigh(resources.grpcRoutes, 'ledger', 9_090, 30);
  });
  afterAll(() => part?.stop());

  test.each<[string, () => void]>([
    ['calls that the pods answer with UNAVAILABLE', () => cilium.faults.grpcErrors('ledger-canary', 0.5)],
    ['calls that find no open port, which Envoy answers', () => cilium.faults.refuse('ledger-canary')],
    ['calls that are reset, which Envoy answers', () => cilium.faults.reset('ledger-canary', 0.5)],
  ])('%s: each failure once', async (_, fault) => {
    const from = now();
    const heard = await counted(async () => {
      fault();
      await soon('Too few failures', () => cilium.truth.counts(from, now(), 'backend/ledger-canary').failed >= 10);
      cilium.faults.mend();
      const mended = now();
      // Longer than the counters wait for flows to show what they have seen: nothing may be told a second time.
      await soon('The load is thin', () => now() - mended > 6_000);
    });
    const { failed } = cilium.truth.counts(from, now(), 'backend/ledger-canary');
    expect(heard.filter((event) => event.failed)).toHaveLength(failed);
    // Prometheus scrapes each second here: what was not open at the scrape before began since then.
    const nearest = Math.min(...heard.map(({ at, startedAt = 0 }) => at - startedAt));
    expect(nearest).toBeLessThan(3_000);
  });
});

describe('catalog: east-west through a Service', () => {
  let part: Part;
  beforeAll(async () => {
    part = await cilium.parts.start('catalog');
  });
  afterAll(() => part?.stop());

  test('requests to the Service are split by the weights of its route', async () => {
    await weigh(resources.httpRoutes, 'catalog', 8_080, 30);
    const from = now();
    await soon(
      'The load is thin',
      () => cilium.truth.counts(from, now(), 'catalog').total + cilium.truth.counts(from, now(), 'catalog-canary').total >= 200,
    );
    const [stable, canary] = [cilium.truth.counts(from, now(), 'catalog'), cilium.truth.counts(from, now(), 'catalog-canary')];
    const all = stable.total + canary.total;
    // Five standard deviations of a binomial.
    expect(Math.abs(canary.total / all - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / all));
    expect(stable.failed + canary.failed).toBe(0);
  });

  test("the Envoy of each client's node reports, with its own identity and the pod that answered", async () => {
    const flows = follow(['app=catalog']);
    await soon('Not every node reports', () => new Set(flows.seen().map(({ flow }) => flow?.node_name)).size === 3);
    flows.end();
    for (const { flow } of flows.seen().filter((each) => each.flow?.l7?.type === 'REQUEST')) {
      expect(flow?.source).toMatchObject({ identity: 8, labels: ['reserved:ingress'] });
      expect(flow?.destination.pod_name).toMatch(/^catalog-/);
    }
  });

  test('what reaches no pod is logged with the address of the Service', async () => {
    await weigh(resources.httpRoutes, 'catalog', 8_080, 50);
    const service = await kube.get<Service>(resources.services, 'backend', 'catalog');
    const clients = cilium.nodes.map(({ hubbleAddress }) => observerAt(hubbleAddress, cilium.hubbleTls));
    const streams = clients.map((client) => client.GetFlows({ follow: true, whitelist: [{ http_status_code: ['503'] }] }));
    const all = streams.map((stream) => collect(stream).seen);
    cilium.faults.refuse('catalog-canary');
    await soon('No 503', () => all.flat().length >= 3);
    for (const stream of streams) stream.cancel();
    for (const client of clients) client.close();
    for (const { flow } of all.flat()) {
      expect(flow?.IP.source).toBe(service.spec.clusterIP);
      expect(flow?.source_service).toEqual({ name: 'catalog', namespace: 'backend' });
    }
  });

  test('the CiliumEnvoyConfig bears the name of the Service, and holds the weights', async () => {
    await weigh(resources.httpRoutes, 'catalog', 8_080, 10);
    await soon('The weights are not in the CiliumEnvoyConfig', async () => {
      const config = await kube.get<KubeObject>(resources.ciliumEnvoyConfigs, 'backend', 'catalog');
      return JSON.stringify(config).includes('"name":"backend/catalog/backend:catalog-canary:8080","weight":10');
    });
  });
});

test('a pod under the name of another is not deleted in its place, and nothing of the request is taken for the next one', async () => {
  const [pod] = (await kube.list<KubeObject>(resources.pods)).items;
  if (!pod) throw new Error('There is no pod.');
  const other = { ...pod, metadata: { ...pod.metadata, uid: 'another' } };
  for (let turn = 0; turn < 20; turn++) {
    await kube.remove(resources.pods, other);
    const { metadata } = await kube.get<KubeObject>(resources.pods, pod.metadata.namespace, pod.metadata.name);
    expect(metadata.uid).toBe(pod.metadata.uid);
  }
});

test('what a part brought is gone with it, and it can come again', async () => {
  const part = await cilium.parts.start('catalog');
  await part.stop();
  await (await cilium.parts.start('catalog')).stop();
  const left = async (of: typeof resources.pods): Promise<readonly string[]> =>
    (await kube.list(of)).items.map(({ metadata }) => metadata.name).filter((name) => /catalog|ledger/.test(name));
  for (const of of [
    resources.pods,
    resources.services,
    resources.deployments,
    resources.replicaSets,
    resources.httpRoutes,
    resources.grpcRoutes,
  ])
    expect(await left(of)).toEqual([]);
  await soon('The CiliumEnvoyConfig stays', async () => (await left(resources.ciliumEnvoyConfigs)).length === 0);
});
