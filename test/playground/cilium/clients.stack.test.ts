import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cilium, startCilium } from '../../../playground/cilium/cilium.ts';
import { createKube, type Kube } from '../../../playground/cilium/kube/client.ts';
import { resources } from '../../../playground/cilium/kube/resources.ts';
import type { KubeObject, Pod } from '../../../playground/cilium/kube/types.ts';
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
  cilium = await startCilium({ stack, seed: 5, load: { requestsPerSecond: 10, connectionsPerSecond: 20 }, signal: never });
  kube = createKube({ url: stack.kube.url, caFile: stack.kube.caFile, token: stack.kube.token('admin') });
});

afterAll(async () => {
  await cilium?.stop();
  kube?.close();
  await stack?.stop();
});

function onBackend(ingress: readonly object[], more: object = {}): KubeObject {
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { namespace: 'backend', name: 'backend' },
    spec: { endpointSelector: { matchLabels: { app: 'backend', ...more } }, ingress },
  } as KubeObject;
}

const from = (namespace: string) => ({ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': namespace } }] });
const gateway = { fromEntities: ['ingress'] };

/** With the policy in force on every node while the callback runs. */
async function under(policy: KubeObject, act: () => Promise<void>): Promise<void> {
  const since = now();
  const everywhere = (generation: number) => () =>
    cilium.nodes.every((node) =>
      cilium.truth.policies.list.some(
        (each) => each.node === node.name && each.inForceAt >= since && (generation === 0) === (each.generation === 0),
      ),
    );
  await kube.create(resources.ciliumPolicies, policy);
  await soon('It is not in force', everywhere(1));
  try {
    await act();
  } finally {
    await kube.remove(resources.ciliumPolicies, policy);
    await soon('It does not go', everywhere(0));
  }
}

test('a client on demand is a pod with an identity of its own, that a policy without it cuts off', async () => {
  const options = { name: 'reporting', namespace: 'external', to: 'backend/backend', everyMs: 100 };
  const client = await cilium.clients.start(options);
  await soon('It is not answered', () => client.counts.answered > 3);
  // Its agent writes its endpoint some time after it is up.
  await soon('It has no endpoint', async () =>
    (await kube.list(resources.ciliumEndpoints)).items.some(({ metadata }) => metadata.name === 'reporting'),
  );
  const { status } = await kube.get<KubeObject & { readonly status?: { readonly identity: { readonly labels: readonly string[] } } }>(
    resources.ciliumEndpoints,
    'external',
    'reporting',
  );
  expect(status?.identity.labels).toContain('k8s:app=reporting');
  await under(onBackend([from('frontend'), gateway]), async () => {
    const since = now();
    await soon('Nothing is dropped', () => client.counts.dropped > 0);
    const drop = cilium.truth.connections.firstDrop(since, (each) => each.name === 'reporting');
    expect(drop).toMatchObject({ source: 'external/reporting', port: 8080, what: 'new', why: expect.stringContaining('default deny') });
  });
  await client.stop();
  await soon('Its pod stays', async () => !(await kube.list(resources.pods)).items.some((each) => each.metadata.name === 'reporting'));
});

test('connections that frontend pods hold break when the policy comes, and come back when it goes', async () => {
  const held = cilium.clients.hold({
    name: 'pool',
    from: { namespace: 'frontend', app: 'frontend' },
    to: 'backend/backend',
    port: 9000,
    everyMs: 50,
  });
  await soon('They are not up', () => held.counts.answered > 20);
  const quiet = cilium.truth.connections.counts(now() - 500, now(), (each) => each.name === 'pool');
  await under(onBackend([gateway]), async () => {
    const since = now();
    await soon('They do not break', () => {
      const broken = cilium.truth.connections.list.filter(
        (each) => each.name === 'pool' && each.what === 'established' && each.at >= since - 200,
      );
      return new Set(broken.map((each) => each.source)).size === 4;
    });
  });
  const before = held.counts.answered;
  await soon('They do not come back', () => held.counts.answered > before + 20);
  expect(quiet.denied).toBe(0);
  await held.stop();
});

test('a pod that gets the label of a cohort gets a new identity, and with it the policy of the cohort', async () => {
  const pod = (await kube.list<Pod>(resources.pods)).items.find(
    ({ metadata }) => metadata.labels?.['app'] === 'backend' && metadata.labels['version'] === 'v1',
  );
  const key = `${pod?.metadata.namespace}/${pod?.metadata.name}`;
  await under(onBackend([gateway], { 'meshops.dev/cohort': 'op' }), async () => {
    const since = now();
    await kube.merge(resources.pods, pod as Pod, { metadata: { labels: { 'meshops.dev/cohort': 'op' } } });
    await soon('The endpoint keeps its identity', async () => {
      const endpoint = await kube.get<KubeObject & { readonly status?: { readonly identity: { readonly labels: readonly string[] } } }>(
        resources.ciliumEndpoints,
        'backend',
        pod?.metadata.name ?? '',
      );
      return endpoint.status?.identity.labels.includes('k8s:meshops.dev/cohort=op') ?? false;
    });
    await soon('The cohort is not closed', () => cilium.truth.connections.firstDrop(since) !== undefined);
    const dropped = cilium.truth.connections.list.filter((each) => each.at >= since && !each.allowed);
    expect(new Set(dropped.map((each) => each.destination))).toEqual(new Set([key]));
  });
  await kube.merge(resources.pods, pod as Pod, { metadata: { labels: { 'meshops.dev/cohort': null } } });
});

test('lookups are datagrams to port 53 whose name no agent sees without a rule for names; a scanner is from the world', async () => {
  const seen: Observed[] = [];
  const clients = cilium.nodes.map((node) => observerAt(node.hubbleAddress, cilium.hubbleTls));
  for (const client of clients) {
    const { seen: some, ended } = collect(client.GetFlows({ whitelist: [{}] }));
    await ended;
    seen.push(...some);
    client.close();
  }
  const flows = seen.flatMap(({ flow }) => flow ?? []);
  const lookup = flows.find((flow) => flow.l4.UDP?.destination_port === 53 && flow.source.namespace === 'backend');
  expect(lookup).toMatchObject({ event_type: { type: 4 }, destination: { namespace: 'kube-system' } });
  expect(flows.filter((flow) => flow.l7?.dns !== undefined || (flow.destination_names ?? []).length > 0)).toEqual([]);
  const outside = flows.find((flow) => flow.IP.destination === '203.0.113.10');
  expect(outside).toMatchObject({ trace_observation_point: 'TO_STACK', destination: { identity: 2, labels: ['reserved:world'] } });
  const scan = cilium.clients.scan({ to: 'frontend/frontend', ports: [22, 80, 8080], everyMs: 10 });
  await soon('It does not scan', () => scan.counts.sent > 12);
  scan.stop();
  expect(cilium.truth.connections.list.findLast((each) => each.name === 'scanner')?.source).toBe('world 203.0.113.66');
});

test('without DNS, calls by name fail and say so', async () => {
  const client = await cilium.clients.start({ name: 'caller', namespace: 'external', to: 'frontend/frontend', everyMs: 100 });
  cilium.faults.dnsFailures(true);
  await soon('They still resolve', () => client.counts.unresolved > 0);
  cilium.faults.mend();
  const before = client.counts.answered;
  await soon('They do not resolve again', () => client.counts.answered > before);
  await client.stop();
});
