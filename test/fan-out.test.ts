import { expect, it } from 'vitest';
import { dryRunStages } from '../activities/writes/dry-run.ts';
import type { Cluster } from '../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../src/clients/kubernetes/objects.ts';
import { AT_ONCE, inParallel } from '../src/fan-out.ts';
import { request } from './support/operations.ts';

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend' };
const nap = () => new Promise((resolve) => setImmediate(resolve));

/** 300 routes in 6 stages, and a server that counts what it is asked at once. */
function large(answer: (asked: number) => void) {
  const names = Array.from({ length: 300 }, (_, index) => `web-${index}`);
  const live = names.map((name) => ({ ...ROUTE, metadata: { name, namespace: 'backend', uid: name, resourceVersion: '1' } }) as KubeObject);
  const stages = [1, 2, 3, 4, 5, 6].map((number) => ({
    number,
    label: `${number}`,
    exposure: 0,
    writes: names.map((name) => ({
      object: { ...ROUTE, name },
      uid: name,
      generation: 1,
      before: { '/w': number - 1 },
      after: { '/w': number },
    })),
  }));
  const seen = { now: 0, most: 0, asked: 0 };
  const cluster = {
    patch: async () => {
      seen.now += 1;
      seen.asked += 1;
      seen.most = Math.max(seen.most, seen.now);
      await nap();
      seen.now -= 1;
      answer(seen.asked);
    },
  } as unknown as Cluster;
  return { seen, run: () => dryRunStages(cluster, live, stages, request(), new AbortController().signal) };
}

it('1,800 dry-runs are asked a few at a time', async () => {
  const { seen, run } = large(() => undefined);
  expect(await run()).toBeUndefined();
  expect(seen).toEqual({ now: 0, most: AT_ONCE, asked: 1_800 });
});

it('one that the server does not answer ends them, and is named', async () => {
  const { seen, run } = large((asked) => {
    if (asked > 100) throw new ClusterFailure('Timeout', 'the Kubernetes API did not answer within 5000 ms');
  });
  await expect(run()).rejects.toThrow(/^dry-run of HTTPRoute\/backend\/web-\d+, one of 1800: the Kubernetes API did not answer/);
  expect(seen.asked).toBeLessThan(100 + 2 * AT_ONCE);
});

it('results come in the order of the items', async () => {
  expect(await inParallel([3, 1, 2], 2, async (item) => item * 2)).toEqual([6, 2, 4]);
  expect(await inParallel([], 2, async () => 1)).toEqual([]);
});
