import { expect, test } from 'vitest';
import { readSplit } from '../../../activities/canary/split.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { type Log, SILENT } from '../../../src/log.ts';

const DETAILS = {
  namespace: 'backend',
  receiver: 'backend-canary',
  others: ['backend'],
  traffic: ['gateway' as const],
  routes: [{ ref: { apiVersion: 'v1', kind: 'HTTPRoute', namespace: 'backend', name: 'web' }, parents: [], rules: [0] }],
  elsewhere: [],
};
function route(name: string, rules: readonly object[], namespace = 'backend') {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace, uid: name, resourceVersion: '1' },
    spec: { parentRefs: [{ name: 'mesh', namespace: 'gateway' }], rules },
  };
}
const web = route('web', [{ backendRefs: [{ name: 'backend' }, { name: 'backend-canary' }] }]);
const asked = (path: string) => ({ method: 'GET', host: 'shop', path, query: new Map(), headers: new Map([['a', 'b']]) });

function clusterOf(items: readonly object[]) {
  let lists = 0;
  const list = async ({ kind }: { readonly kind: string }) => {
    lists += 1;
    return { items: kind === 'HTTPRoute' ? items : [] };
  };
  return { cluster: { list } as unknown as Cluster, lists: () => lists };
}
const { signal } = new AbortController();

test('watches that begin together read the routes once; of what can reach the pods, the most specific rule decides', async () => {
  const admin = route('admin', [
    { matches: [{ path: { type: 'PathPrefix', value: '/admin' } }], backendRefs: [{ name: 'both-versions' }] },
  ]);
  const foreign = route(
    'foreign',
    [{ matches: [{ path: { type: 'PathPrefix', value: '/api' } }], backendRefs: [{ name: 'other' }] }],
    'other',
  );
  const { cluster, lists } = clusterOf([web, admin, foreign]);
  let clock = 1_000;
  const deps = { cluster, log: SILENT, now: () => clock };
  const [split] = await Promise.all(Array.from({ length: 50 }, () => readSplit(deps, DETAILS, signal)));
  expect(lists()).toBe(2);
  // A Service of the namespace may have the same pods behind it; one of another namespace has not.
  expect(['/', '/admin/users', '/api'].map((path) => split?.isMoved(asked(path)))).toEqual([true, false, true]);
  expect(split?.isWhole).toBe(true);
  clock += 10_000;
  await readSplit(deps, DETAILS, signal);
  expect(lists()).toBe(4);
});

test('nothing is compared where the routes cannot be read, which is logged', async () => {
  const warned: string[] = [];
  const log: Log = { ...SILENT, warn: (_fields, message) => void warned.push(message) };
  const list = async () => {
    throw new Error('not allowed');
  };
  const split = await readSplit({ cluster: { list } as unknown as Cluster, log, now: () => 1 }, DETAILS, signal);
  expect([split.isMoved(asked('/')), split.isWhole]).toEqual([false, false]);
  expect(warned).toEqual(['routes cannot be read: the canary is compared with nobody in this watch']);
});

test('a GRPCRoute of the same name as a route that moves is another one', async () => {
  const grpc = { ...web, kind: 'GRPCRoute', spec: { ...web.spec, rules: [{ backendRefs: [{ name: 'backend' }] }] } };
  const list = async ({ kind }: { readonly kind: string }) => ({ items: kind === 'HTTPRoute' ? [web] : [grpc] });
  const split = await readSplit({ cluster: { list } as unknown as Cluster, log: SILENT, now: Date.now }, DETAILS, signal);
  expect(split.isWhole).toBe(false);
});
