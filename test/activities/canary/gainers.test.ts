import { expect, test } from 'vitest';
import { askIfUnready } from '../../../activities/canary/preconditions.ts';
import type { Cluster } from '../../../activities/clients/kubernetes/cluster.ts';

/** A cluster of which only the ready endpoints of some Services are known. */
function clusterWith(ready: Readonly<Record<string, number>>): Cluster {
  const list = async (_kind: unknown, { labelSelector }: { readonly labelSelector: string }) => {
    const name = labelSelector.slice(labelSelector.indexOf('=') + 1);
    const endpoints = Array.from({ length: ready[name] ?? 0 }, (_, at) => ({ addresses: [`10.0.0.${at}`], conditions: { ready: true } }));
    return { items: [{ endpoints }] };
  };
  return { list } as unknown as Cluster;
}

const gains = [{ namespace: 'backend', name: 'backend', share: 1 }];

test('whoever gains and has no ready endpoint is named, with what it would get', async () => {
  const words = await askIfUnready({ cluster: clusterWith({ backend: 0 }) }, gains, new AbortController().signal);
  expect(words).toBe('Look first: backend would get 100% of the requests and has no ready endpoint. Those requests would fail.');
});

test('nobody is asked where all who gain can serve', async () => {
  expect(await askIfUnready({ cluster: clusterWith({ backend: 2 }) }, gains, new AbortController().signal)).toBeUndefined();
});
