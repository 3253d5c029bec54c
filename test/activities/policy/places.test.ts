import { expect, test } from 'vitest';
import { Places } from '../../../activities/policy/places.ts';
import { Carriers } from '../../../activities/watch/carriers.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Evidence } from '../../../src/domain/judge/evidence.ts';

function pod(name: string, app: string, nodeName: string) {
  return {
    metadata: { name, namespace: 'shop', labels: { app } },
    spec: { nodeName },
  };
}

function rig(isAway = false) {
  const pods = [pod('backend-1', 'backend', 'node-1'), pod('other-1', 'other', 'node-2')];
  const cluster = {
    read: async () => ({ metadata: { name: 'shop', labels: { team: 'a' } } }),
    list: async () => {
      if (isAway) throw new Error('away');
      return { items: pods, resourceVersion: '1' };
    },
  } as unknown as Cluster;
  const heard: Evidence[] = [];
  const carriers = new Carriers({ hear: (event) => heard.push(event), now: () => 1_000 });
  const stop = new AbortController();
  const isSubject = (labels: readonly string[]): boolean => labels.includes('k8s:app=backend');
  const places = new Places(cluster, { namespace: 'shop', isSubject }, carriers, stop.signal);
  const gap = (node: string) => places.gap({ kind: 'gap', at: 1_000, node, reason: 'gone' });
  const told = () => heard.map((event) => `${event.kind} ${'node' in event ? event.node : ''}`);
  return { pods, told, carriers, places, gap, stop };
}

test('an agent blinds the watch of a policy only where the policy selects a pod', async () => {
  const { told, carriers, gap, places, stop } = rig();
  for (const node of ['node-1', 'node-2', 'node-3']) void gap(node);
  await places.settled();
  expect(told()).toEqual(['gap node-1']);
  expect(carriers.unseen(10_000)).toContain('node-2 (gone), node-3 (gone)');
  stop.abort();
});

test('a node out of sight counts from when a pod of the policy is on it, and what is told keeps its order', async () => {
  const { pods, told, gap, places, stop } = rig();
  await gap('node-3');
  expect(told()).toEqual([]);
  pods.push(pod('backend-2', 'backend', 'node-3'));
  void gap('node-2');
  void places.sight('node-3', 2_000);
  await places.settled();
  expect(told()).toEqual(['gap node-3', 'sight node-3']);
  stop.abort();
});

test('where nobody can say where the pods are every node counts', async () => {
  const { told, gap, stop } = rig(true);
  await gap('node-9');
  expect(told()).toEqual(['gap node-9']);
  stop.abort();
});
