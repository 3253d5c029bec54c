import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Cilium, startCilium } from '../../../playground/cilium/cilium.ts';
import { createKube, type Kube, KubeError, type Resource } from '../../../playground/cilium/kube/client.ts';
import { resources } from '../../../playground/cilium/kube/resources.ts';
import type { CiliumPolicy, KubeObject } from '../../../playground/cilium/kube/types.ts';
import { until } from '../../../playground/cilium/until.ts';
import { type Stack, startStack } from '../../../playground/cluster/stack.ts';
import { collect, type Observed, observerAt } from './hubble.ts';

const never = new AbortController().signal;
const now = (): number => performance.timeOrigin + performance.now();
const soon = (what: string, done: () => boolean | Promise<boolean>) => until(done, { what, withinMs: 15_000, signal: never });

let stack: Stack;
let cilium: Cilium;
let kube: Kube;
const written: KubeObject[] = [];

beforeAll(async () => {
  stack = await startStack({ signal: never, progress: () => undefined });
  cilium = await startCilium({ stack, seed: 11, load: { requestsPerSecond: 50, connectionsPerSecond: 30 }, signal: never });
  kube = createKube({ url: stack.kube.url, caFile: stack.kube.caFile, token: stack.kube.token('admin') });
});

/** On every node: in force, or gone again. */
async function settled(name: string, generation: number): Promise<void> {
  const last = (node: string) => cilium.truth.policies.list.findLast((each) => each.policy.endsWith(`/${name}`) && each.node === node);
  await soon(`${name} is not ${generation === 0 ? 'gone' : 'in force'}`, () =>
    cilium.nodes.every((node) => last(node.name)?.generation === generation),
  );
}

afterEach(async () => {
  for (const policy of written.splice(0)) {
    await kube.remove(resources.ciliumPolicies, policy);
    await settled(policy.metadata.name, 0);
  }
});

afterAll(async () => {
  await cilium?.stop();
  kube?.close();
  await stack?.stop();
});

function policyOf(namespace: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { namespace, name }, spec } as KubeObject;
}

/** Writes a policy and waits until every node has it in force; resolves to the time (Unix ms) of the write. */
async function enforce(policy: KubeObject): Promise<number> {
  const writtenAt = now();
  await kube.create(resources.ciliumPolicies, policy);
  written.push(policy);
  await settled(policy.metadata.name, 1);
  return writtenAt;
}

/** The latest requests through the Gateway are answered well. */
const healed = () => soon('It does not heal', () => cilium.truth.requests.slice(-40).every((each) => each.ok));

/** What the nodes report while the callback runs. */
async function watching(filter: object, act: (seen: readonly Observed[]) => Promise<void>): Promise<readonly Observed[]> {
  const clients = cilium.nodes.map((node) => observerAt(node.hubbleAddress, cilium.hubbleTls));
  const seen: Observed[] = [];
  const streams = clients.map((client) => client.GetFlows({ follow: true, whitelist: [filter] }));
  for (const stream of streams) {
    collect(stream);
    stream.on('data', (message: Observed) => seen.push(message));
  }
  await act(seen);
  for (const stream of streams) stream.cancel();
  for (const client of clients) client.close();
  return seen;
}

test('a policy written to the API server drops a connection, and its verdict and drop appear on the stream', async () => {
  const spec = { endpointSelector: { matchLabels: { app: 'database' } }, ingress: [{}] };
  const of = (type: number, seen: readonly Observed[]) => seen.filter(({ flow }) => flow?.event_type.type === type);
  let writtenAt = 0;
  const seen = await watching({ verdict: ['DROPPED'], destination_port: ['5432'] }, async (arrived) => {
    writtenAt = await enforce(policyOf('database', 'closed', spec));
    await soon('No drop', () => of(1, arrived).length > 0 && of(5, arrived).length > 0);
  });
  const drop = cilium.truth.connections.firstDrop(writtenAt);
  expect(drop).toMatchObject({ destination: expect.stringMatching(/^database\//), port: 5432, allowed: false, what: 'new' });
  const [verdict] = of(5, seen);
  expect(verdict?.flow).toMatchObject({
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENIED',
    traffic_direction: 'INGRESS',
    source: { namespace: 'backend' },
    destination: { namespace: 'database' },
  });
  expect(verdict?.flow?.policy_match_type ?? 0).toBe(0);
  expect(of(1, seen)[0]?.flow).toMatchObject({ verdict: 'DROPPED', drop_reason: 133, event_type: { sub_type: 133 } });
});

test('the operator says whether a policy is valid, with the reason of the engine', async () => {
  const bad = policyOf('database', 'empty', { endpointSelector: {}, ingress: [] });
  await kube.create(resources.ciliumPolicies, bad).catch((error: unknown) => {
    if (!(error instanceof KubeError)) throw error;
  });
  written.push(policyOf('database', 'open', {}));
  await kube.create(resources.ciliumPolicies, policyOf('database', 'open', { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] }));
  await settled('open', 1);
  const valid = async (name: string) => {
    const { status } = await kube.get<CiliumPolicy>(resources.ciliumPolicies, 'database', name);
    return status?.conditions?.find((each) => each.type === 'Valid');
  };
  await soon('No condition', async () => (await valid('open')) !== undefined && (await valid('empty')) !== undefined);
  expect(await valid('open')).toMatchObject({ status: 'True' });
  expect(await valid('empty')).toMatchObject({ status: 'False', message: expect.stringMatching(/at least one of Ingress/i) });
  await kube.remove(resources.ciliumPolicies, bad);
});

test('without `ingress` among its peers the backend does not hear the gateway: requests fail, and heal with the policy', async () => {
  const closed = policyOf('backend', 'no-ingress', {
    endpointSelector: { matchLabels: { app: 'backend', version: 'v1' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'frontend' } }] }],
  });
  const filter = { verdict: ['DROPPED'], source_identity: [8] };
  let writtenAt = 0;
  const inForceAt = () =>
    Math.max(...cilium.truth.policies.list.filter((each) => each.policy === 'backend/no-ingress').map((each) => each.inForceAt));
  await healed();
  const seen = await watching(filter, async (arrived) => {
    writtenAt = await enforce(closed);
    await soon('No drop of the gateway', () => arrived.length >= 2);
    await soon('No failed request', () => cilium.truth.requests.some((each) => each.startedAt > inForceAt() && !each.ok));
  });
  expect(seen[0]?.flow).toMatchObject({ traffic_direction: 'INGRESS', drop_reason: 133, destination: { namespace: 'backend' } });
  // Envoy gives up connecting after 5 s and reached nobody.
  const after = cilium.truth.requests.filter((each) => each.startedAt > inForceAt());
  expect(after.filter((each) => each.ok)).toEqual([]);
  expect(after[0]).toMatchObject({ status: 503, backend: '' });
  // The frontend's own calls go on: only the proxy's way is shut.
  const hop = (each: { readonly name: string }) => each.name === 'frontend/frontend -> backend/backend';
  expect(cilium.truth.connections.firstDrop(writtenAt, hop)).toBeUndefined();
  written.pop();
  await kube.remove(resources.ciliumPolicies, closed);
  await settled('no-ingress', 0);
  const from = now();
  await soon('Too few requests', () => cilium.truth.requests.filter((each) => each.startedAt > from).length > 60);
  expect(cilium.truth.requests.filter((each) => each.startedAt > from && !each.ok)).toEqual([]);
});

test('Kubernetes NetworkPolicies and cluster-wide policies decide as well', async () => {
  const objects: readonly (readonly [Resource, KubeObject])[] = [
    [
      resources.networkPolicies,
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace: 'database', name: 'k8s-closed' },
        spec: { podSelector: {}, policyTypes: ['Ingress'] },
      } as KubeObject,
    ],
    [
      resources.clusterwidePolicies,
      {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumClusterwideNetworkPolicy',
        metadata: { name: 'no-frontend' },
        spec: {
          endpointSelector: { matchLabels: { app: 'backend' } },
          enableDefaultDeny: { ingress: false, egress: false },
          ingressDeny: [{ fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'frontend' } }] }],
        },
      } as KubeObject,
    ],
  ];
  for (const [of, object] of objects) {
    const from = now();
    await kube.create(of, object);
    await settled(object.metadata.name, 1);
    await soon(`${object.metadata.name} drops nothing`, () => cilium.truth.connections.firstDrop(from) !== undefined);
    await kube.remove(of, object);
    await settled(object.metadata.name, 0);
    const drop = cilium.truth.connections.firstDrop(from);
    expect(drop?.destination).toMatch(object.kind === 'NetworkPolicy' ? /^database\// : /^backend\//);
  }
});

test('a layer 7 rule makes the proxy refuse other paths with 403, and flows say so', async () => {
  const filter = { event_type: [{ type: 129 }], verdict: ['DROPPED'] };
  const spec = {
    endpointSelector: { matchLabels: { app: 'backend' } },
    ingress: [
      // Not the entity `cluster`: it holds the gateway's proxy too.
      { fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'frontend' } }] },
      { fromEntities: ['ingress'], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ path: '/items.*' }] } }] },
    ],
  };
  await healed();
  const seen = await watching(filter, async (arrived) => {
    await enforce(policyOf('backend', 'items-only', spec));
    await soon('No refused request', () => arrived.some(({ flow }) => flow?.source.identity === 8));
    await soon('No 403', () => cilium.truth.requests.some((each) => each.status === 403));
  });
  const refused = seen.find(({ flow }) => flow?.source.identity === 8)?.flow;
  expect(refused).toMatchObject({ Type: 'L7', traffic_direction: 'INGRESS', l7: { type: 'REQUEST', http: { method: 'GET' } } });
  expect(refused?.l7?.http?.url).not.toContain('/items');
  // Connections that stood when the proxy came between are cut: Envoy answers 503 for each of them, once.
  await soon('No 200 for /items', async () => (await fetch(`${cilium.gateway.url}/items`)).status === 200);
  await soon('No 403 for /admin', async () => (await fetch(`${cilium.gateway.url}/admin`)).status === 403);
});

test('a backend that cannot reach its database answers 503 until it can again', async () => {
  const spec = { endpointSelector: { matchLabels: { app: 'database' } }, ingress: [{}] };
  const from = await enforce(policyOf('database', 'shut', spec));
  await soon('No 503', () => cilium.truth.requests.some((each) => each.startedAt > from && each.status === 503));
  await kube.remove(resources.ciliumPolicies, written.pop() ?? policyOf('database', 'shut', spec));
  await settled('shut', 0);
  await healed();
});

const lookups = {
  toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }],
  toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*.example.com' }] } }],
};
const toApi = { toFQDNs: [{ matchName: 'api.example.com' }], toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }] };

test('egress by name: the named host is reached, other lookups are refused by the DNS proxy, and so are other hosts', async () => {
  const from = await enforce(
    policyOf('backend', 'by-name', { endpointSelector: { matchLabels: { app: 'backend' } }, egress: [lookups, toApi] }),
  );
  const since = () => cilium.truth.connections.list.filter((each) => each.at > from + 200 && each.source.startsWith('backend/'));
  await soon('The host is not reached', () => since().some((each) => each.destination === 'world api.example.com' && each.allowed));
  await soon('No refused lookup', () => since().some((each) => each.port === 53 && each.what === 'request' && !each.allowed));
  expect(since().filter((each) => each.destination.startsWith('database/') && each.allowed)).toEqual([]);
});

test('egress without DNS: lookups are dropped at the pod that asks', async () => {
  const seen = await watching({ verdict: ['DROPPED'], destination_port: ['53'] }, async (arrived) => {
    await enforce(policyOf('frontend', 'no-dns', { endpointSelector: {}, egress: [{ toEntities: ['ingress'] }] }));
    await soon('No lookup is dropped', () => arrived.length >= 2);
  });
  expect(seen[0]?.flow).toMatchObject({
    l4: { UDP: { destination_port: 53 } },
    traffic_direction: 'EGRESS',
    drop_reason: 133,
    source: { namespace: 'frontend' },
    destination: { namespace: 'kube-system' },
  });
});
