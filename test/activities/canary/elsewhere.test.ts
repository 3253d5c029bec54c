import { afterEach, expect, test } from 'vitest';
import { canaryWatching } from '../../../activities/canary/evidence.ts';
import { checkSight, missing } from '../../../activities/canary/sight.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import type { Observer } from '../../../src/clients/hubble/observer.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Follower, Hub } from '../../../src/clients/kubernetes/hub.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';
import { SILENT } from '../../../src/log.ts';
import { answerFlow, startAgent } from '../support/hubble.ts';
import { watchInput } from '../support/watching.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function sliceOf(service: string, nodes: readonly string[]): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, namespace: 'backend', uid: service, resourceVersion: '1' },
    endpoints: nodes.map((nodeName, at) => ({
      addresses: [`10.0.${service.length}.${at}`],
      conditions: { ready: true },
      nodeName,
      targetRef: { kind: 'Pod', namespace: 'backend', name: `${service}-${at + 1}` },
    })),
  };
}

/** A canary on node-1 and its control on node-2, watched in a cluster of four nodes. */
async function rig({ watched = {} }: { readonly watched?: { readonly since?: number; readonly watchedTo?: number } } = {}) {
  const agents = await Promise.all(['node-1', 'node-2', 'node-3', 'node-4'].map((node) => startAgent(node)));
  const flows = createFlows({ nodes: fixedNodes(agents), now: Date.now, log: SILENT });
  const stop = new AbortController();
  cleanups.push(() => {
    stop.abort();
    flows.close();
    for (const agent of agents) agent.stop();
  });
  const open = new Set<string>();
  const everybody = { flow: (_flow: object, node: string) => void open.add(node), gap: () => undefined, sight: () => undefined };
  flows.follow(['elsewhere'], everybody, stop.signal);
  for (const agent of agents) agent.ring.push({ kind: 'flow', flow: answerFlow(agent.node, { namespace: 'elsewhere' }) });
  // Each stream is there: a lost event is told to those who follow, and never again.
  await expect.poll(() => open.size).toBe(agents.length);
  const followers = new Map<string, Follower>();
  const hub: Hub = {
    follow: (_resource, key, follower) => {
      followers.set(key, follower);
      follower.changed([sliceOf(key.slice('backend/'.length), key === 'backend/backend' ? ['node-2'] : ['node-1'])]);
    },
    close: () => undefined,
  };
  const cluster = { read: async (ref: object) => ({ ...ref, metadata: {}, spec: {} }) } as unknown as Cluster;
  const route = { ref: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' } };
  const routes = [{ ...route, parents: [], rules: [0] }];
  const details = { namespace: 'backend', receiver: 'backend-canary', others: ['backend'], traffic: ['gateway'], routes, elsewhere: [] };
  const settings = { watchHeartbeatMs: 1_000, editEveryMs: 60_000, latencyLimitMs: 1_000, minRequests: 10, objective: 0.01 };
  const input = watchInput({ plan: { details } as never, settings: settings as never });
  const heard: Evidence[] = [];
  let unseen = (): string | undefined => undefined;
  const watching = canaryWatching({ cluster, hub, flows, now: Date.now, log: SILENT });
  const remarks = (source: () => string | undefined): void => void (unseen = source);
  const began = Date.now();
  const resumed = watched.since !== undefined;
  const options = { resumed, since: began, watchedTo: began, ...watched, signal: stop.signal, remarks };
  await watching.open(input, (event) => heard.push(event), options);
  const outOfSight = () => {
    const open = new Map<string, boolean>();
    for (const event of heard) {
      if (event.kind === 'gap') open.set(event.node, true);
      if (event.kind === 'sight' && !heard.some((each) => each.kind === 'gap' && each.node === event.node && each.lost)) {
        open.set(event.node, false);
      }
    }
    return [...open].flatMap(([node, isOpen]) => (isOpen ? [node] : []));
  };
  const lose = (at: number) => agents[at]?.ring.push({ kind: 'lost', source: 'PERF_EVENT_RING_BUFFER', count: 1, at: Date.now() });
  return { agents, followers, heard, outOfSight, lose, unseen: () => unseen() };
}

test('one lost event, and one agent that is gone, elsewhere in the cluster are a remark; on a node of its pods they count', async () => {
  const { agents, outOfSight, lose, unseen } = await rig();
  lose(2);
  agents[3]?.stop();
  await expect.poll(unseen).toMatch(/^node-4 \(.+\), 1 events of node-3: none of this traffic was seen there$/);
  expect(outOfSight()).toEqual([]);
  lose(1);
  await expect.poll(outOfSight).toEqual(['node-2']);
});

test('an agent that reports its requests counts, as the gateway does that stands on a node without its pods', async () => {
  const { agents, heard, outOfSight } = await rig();
  // Again and again: a request of the very millisecond in which the watch began is of before.
  const isHeard = (): boolean => {
    agents[2]?.ring.push({ kind: 'flow', flow: answerFlow('node-3', { address: '10.0.14.0', pod: 'backend-canary-1' }) });
    return heard.some(({ kind }) => kind === 'request');
  };
  await expect.poll(isHeard).toBe(true);
  agents[2]?.stop();
  await expect.poll(outOfSight).toEqual(['node-3']);
});

test('a pod that moves to a node out of sight makes it count', async () => {
  const { agents, followers, outOfSight, unseen } = await rig();
  agents[3]?.stop();
  await expect.poll(unseen).toContain('node-4');
  expect(outOfSight()).toEqual([]);
  followers.get('backend/backend-canary')?.changed([sliceOf('backend-canary', ['node-4'])]);
  expect(outOfSight()).toEqual(['node-4']);
});

test('before a plan, an agent that does not answer counts where this traffic runs, and is a remark elsewhere', () => {
  const away = [{ node: 'node-9', problem: 'gone' }];
  const where = { nodes: ['node-1'], reporters: ['east/node-2'] };
  expect(missing(away, where)).toMatchObject({ limits: ['node-9 (gone): none of this traffic was seen there'] });
  expect(missing([{ node: 'node-2', problem: 'gone' }], where)).toMatchObject({ blind: { code: 'Blind' } });
  expect(missing(away, { nodes: [undefined], reporters: [] })).toMatchObject({ blind: { code: 'Blind' } });
  expect(missing([], where)).toMatchObject({ limits: [] });
});

test('Relay that does not reach a node blinds those whose traffic runs there, and nobody else', async () => {
  const data = { 'enable-hubble': 'true' };
  const cluster = { read: async () => ({ data }) } as unknown as Cluster;
  const observer: Observer = {
    status: async () => ({ unavailable_nodes: ['default/node-9'] }),
    flows: () => ({ cancel: () => undefined }),
    close: () => undefined,
  };
  const flows = createFlows({ nodes: fixedNodes([{ node: 'relay', address: 'x' }]), now: Date.now, log: SILENT, connect: () => observer });
  cleanups.push(() => flows.close());
  const sight = await checkSight({ cluster, flows }, new AbortController().signal);
  const away = 'away' in sight ? sight.away : [];
  expect(away).toEqual([{ node: 'default/node-9', problem: 'Relay does not reach it' }]);
  expect(missing(away, { nodes: ['node-1'], reporters: [] })).toMatchObject({ limits: [expect.stringContaining('node-9')] });
  expect(missing(away, { nodes: ['node-9'], reporters: [] })).toMatchObject({ blind: { code: 'Blind' } });
});

test('a watch that goes on has not seen what the ring of a node of its pods no longer holds, unless somebody had watched until then', async () => {
  // The agents have started with the test, so their rings hold nothing of before.
  const began = Date.now();
  const { heard } = await rig({ watched: { since: began - 60_000, watchedTo: began - 20_000 } });
  const lost = (of: typeof heard) => of.flatMap((event) => (event.kind === 'gap' && event.lost ? [event.node] : [])).toSorted();
  expect(lost(heard)).toEqual(['node-1', 'node-2']);
  const later = await rig({ watched: { since: began - 60_000, watchedTo: Date.now() + 60_000 } });
  expect(lost(later.heard)).toEqual([]);
});
