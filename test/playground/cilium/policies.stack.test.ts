import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Cilium } from '../../../playground/cilium/cilium.ts';
import { startCilium } from '../../../playground/cilium/cilium.ts';
import type { Kube } from '../../../playground/cilium/kube/client.ts';
import { createKube, KubeError } from '../../../playground/cilium/kube/client.ts';
import { resources } from '../../../playground/cilium/kube/resources.ts';
import type { CiliumPolicy, KubeObject } from '../../../playground/cilium/kube/types.ts';
import { until } from '../../../playground/cilium/until.ts';
import type { Stack } from '../../../playground/cluster/stack.ts';
import { startStack } from '../../../playground/cluster/stack.ts';
import type { Observed } from './hubble.ts';
import { collect, observerAt } from './hubble.ts';

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
const settled = async (name: string, generation: number): Promise<void> => {
  const last = (node: string) => cilium.truth.policies.list.findLast((each) => each.policy.endsWith(`/${name}`) && each.node === node);
  await soon(`${name} is not ${generation === 0 ? 'gone' : 'in force'}`, () =>
    cilium.nodes.every((node) => last(node.name)?.generation === generation),
  );
};

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

const policyOf = (namespace: string, name: string, spec: object): KubeObject =>
  ({ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { namespace, name }, spec }) as KubeObject;

/** Writes a policy and waits until every node has it in force; resolves to the time (Unix ms) of the write. */
const enforce = async (policy: KubeObject): Promise<number> => {
  const writtenAt = now();
  await kube.create(resources.ciliumPolicies, policy);
  written.push(policy);
  await settled(policy.metadata.name, 1);
  return writtenAt;
};

/** What the nodes report while the callback runs. */
const watching = async (filter: object, act: (seen: readonly Observed[]) => Promise<void>): Promise<readonly Observed[]> => {
  const clients = cilium.nodes.map((node) => observerAt(node.hubbleAddress));
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
};

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
