import { expect, test } from 'vitest';
import type { Cluster } from '../../../activities/clients/kubernetes/cluster.ts';
import { followPlaces } from '../../../activities/policy/places.ts';
import { Carriers } from '../../../activities/watch/carriers.ts';
import type { Evidence } from '../../../src/domain/evidence.ts';

const pod = (name: string, app: string, nodeName: string) => ({
  metadata: { name, namespace: 'shop', labels: { app } },
  spec: { nodeName },
});

async function rig() {
  const pods = [pod('backend-1', 'backend', 'node-1'), pod('other-1', 'other', 'node-2')];
  const cluster = {
    read: async () => ({ metadata: { name: 'shop', labels: { team: 'a' } } }),
    list: async () => ({ items: pods, resourceVersion: '1' }),
  } as unknown as Cluster;
  const heard: Evidence[] = [];
  const carriers = new Carriers({ hear: (event) => heard.push(event), now: () => 1_000 });
  const stop = new AbortController();
  const isSubject = (labels: readonly string[]): boolean => labels.includes('k8s:app=backend');
  const follow = () => followPlaces(cluster, { namespace: 'shop', isSubject }, carriers, stop.signal);
  const gap = (node: string) => carriers.gap({ kind: 'gap', at: 1_000, node, reason: 'gone' });
  return { pods, heard, carriers, follow, gap, stop };
}

test('an agent blinds the watch of a policy only where the policy selects a pod', async () => {
  const { heard, carriers, follow, gap, stop } = await rig();
  await follow();
  for (const node of ['node-1', 'node-2', 'node-3']) gap(node);
  expect(heard.map((event) => 'node' in event && event.node)).toEqual(['node-1']);
  expect(carriers.unseen(10_000)).toContain('node-2 (gone), node-3 (gone)');
  stop.abort();
});

test('a node that cannot be seen counts from when a pod of the policy is on it', async () => {
  const { pods, heard, follow, gap, stop } = await rig();
  await follow();
  gap('node-3');
  expect(heard).toEqual([]);
  pods.push(pod('backend-2', 'backend', 'node-3'));
  await follow();
  expect(heard.map((event) => 'node' in event && event.node)).toEqual(['node-3']);
  stop.abort();
});
