import { expect, it } from 'vitest';
import type { ObjectRef } from '../../src/domain/lifecycle/plan.ts';
import type { Completed } from '../../src/domain/lifecycle/way-back.ts';
import { compare } from '../../src/handover/documents.ts';
import { leftBy, objectsFile } from '../../src/handover/left.ts';

const POLICY: ObjectRef = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'web' };
const POD: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-1' };
const spec = { endpointSelector: { matchLabels: { app: 'web' } } };

/** A policy that a rollout made, pod by pod. */
const completed: Completed = {
  opId: 'policy-aaaaaa',
  originals: [
    { object: POLICY, uid: '', fields: { '/spec': null }, manifest: null, token: null, digest: '' },
    { object: POD, uid: 'p', fields: { '/metadata/labels/meshops.dev~1cohort': null }, token: null, digest: 'd' },
  ],
  last: {
    number: 1,
    label: 'all',
    exposure: 1,
    writes: [{ object: POLICY, kind: 'create', uid: '', generation: 0, before: { '/spec': null }, after: { '/spec': spec } }],
  },
};

const live = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '7',
    generation: 3,
    managedFields: [{ manager: 'meshops' }],
    labels: { team: 'shop' },
    annotations: { 'meshops.dev/operation': 'policy-aaaaaa/4', 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'kept' },
  },
  spec,
  status: { conditions: [] },
};

it('a policy that is new goes to Git as people would write it: without what the server and meshops add, and without pods', async () => {
  const handed = await leftBy(completed, async () => live as never);
  expect(handed.map(({ ref }) => ref)).toEqual([POLICY]);
  const { changes } = compare([], 'apps', handed);
  const text = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: web
  namespace: shop
  labels:
    team: shop
  annotations:
    note: kept
spec:
  endpointSelector:
    matchLabels:
      app: web
`;
  expect(changes).toEqual([{ path: 'apps/ciliumnetworkpolicy-web.yaml', before: null, after: text }]);
  expect(objectsFile(handed)).toBe(text);
  // Git has it already, in words of its own.
  const own =
    'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: web}\nspec: {endpointSelector: {matchLabels: {app: web}}}\n';
  expect(compare([{ path: 'apps/p.yaml', text: own }], 'apps', handed)).toEqual({ changes: [], problems: [] });
});
