import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { askIfUnready } from '../../../activities/canary/preconditions.ts';
import { unready } from '../../../activities/canary/unready.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import type { Unready } from '../../../src/domain/lifecycle/contract.ts';

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

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
const weightOf = (at: number): string => `/spec/rules/0/backendRefs/${at}/weight`;
function fields(stable: number, canary: number) {
  return {
    '/spec/rules/0/backendRefs/0/name': 'backend',
    [weightOf(0)]: stable,
    '/spec/rules/0/backendRefs/1/name': 'backend-canary',
    [weightOf(1)]: canary,
  };
}

/** What the undo to these shares would say, from a route at 90 to 10. */
async function before(stable: number, canary: number, ready: Record<string, number>, waitMs = 0, becomes?: () => void) {
  const live = {
    ...ROUTE,
    metadata: { name: 'backend', namespace: 'backend', uid: 'u1', generation: 2 },
    spec: {
      rules: [
        {
          backendRefs: [
            { name: 'backend', weight: 90 },
            { name: 'backend-canary', weight: 10 },
          ],
        },
      ],
    },
  };
  let reads = 0;
  const cluster = {
    list: (...args: Parameters<Cluster['list']>) => clusterWith(ready).list(...args),
    read: async () => {
      reads += 1;
      if (reads > 1) becomes?.();
      return live;
    },
  } as unknown as Cluster;
  const originals = [{ object: ROUTE, uid: 'u1', fields: fields(stable, canary), token: null, digest: 'd' }];
  const activity = (input: Parameters<typeof unready>[1]) => unready({ cluster, now: Date.now }, input, new AbortController().signal);
  const found = (await new MockActivityEnvironment().run(activity, { originals, waitMs })) as Unready;
  return { found, reads: () => reads };
}

test('an undo says who gets traffic back and cannot answer it', async () => {
  const { found } = await before(100, 0, { backend: 0, 'backend-canary': 2 });
  expect(found.words).toBe('Look first: backend would get 100% of the requests and has no ready endpoint. Those requests would fail.');
  expect((await before(100, 0, { backend: 1, 'backend-canary': 0 })).found).toEqual({});
});

test('an undo that gives nobody more waits for nobody', async () => {
  expect((await before(90, 10, {})).found).toEqual({});
});

test('it waits until they can, and no longer than it was told to', async () => {
  const ready = { backend: 0 };
  const { found, reads } = await before(100, 0, ready, 60_000, () => void (ready.backend = 1));
  expect([found, reads()]).toEqual([{}, 2]);
  expect((await before(100, 0, { backend: 0 }, 50)).found.words).toContain('no ready endpoint');
});
