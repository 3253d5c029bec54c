import { expect, test } from 'vitest';
import type { WriteDeps } from '../../../activities/writes/apply.ts';
import { restore } from '../../../activities/writes/restore.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { RestoreInput } from '../../../src/domain/lifecycle/contract.ts';
import { TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../../src/log.ts';
import { applyPatch } from '../../support/json-patch.ts';

const POLICY = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', namespace: 'backend', name: 'backend' };
const INERT = { '/specs': [{ endpointSelector: { matchLabels: { nobody: 'yes' } } }] };
const WHOLE = { '/specs': [{ endpointSelector: {}, ingress: [{}] }] };

/** A cluster in which a removal waits for finalizers, as the API server has it. */
function clusterWith(finalizers: readonly string[]) {
  const metadata = {
    name: 'backend',
    namespace: 'backend',
    uid: 'u1',
    resourceVersion: '1',
    annotations: { [TOKEN_ANNOTATION]: 'policy-mine01/1' },
  };
  const state: { live: KubeObject | undefined } = {
    live: { ...POLICY, metadata: { ...metadata, ...(finalizers.length > 0 && { finalizers }) }, specs: WHOLE['/specs'] } as KubeObject,
  };
  const cluster = {
    read: async () => state.live,
    patch: async (_ref: unknown, ops: never) => {
      const after = applyPatch(state.live, ops);
      if (after === undefined) throw new ClusterFailure('Invalid', 'a test of the patch did not hold');
      state.live = after as KubeObject;
      return state.live;
    },
    remove: async () => {
      const { live } = state;
      state.live = live && finalizers.length > 0 ? { ...live, metadata: { ...live.metadata, deletionTimestamp: 'now' } } : undefined;
    },
  } as unknown as Cluster;
  const deps: WriteDeps = { cluster, audit: { holds: async () => false }, now: () => 0, log: SILENT };
  return { state, deps };
}

const write = { object: POLICY, uid: '', generation: 0, before: INERT, after: WHOLE };
function input(holder: RestoreInput['holder']): RestoreInput {
  return {
    opId: 'policy-mine01',
    originals: [{ object: POLICY, uid: '', fields: INERT, manifest: null, token: null, digest: '' }],
    written: [{ stage: 1, writes: [write] }],
    holder,
  };
}

test.each<RestoreInput['holder']>(['operation', { stage: 1 }])(
  'a policy that others keep from going is out of force all the same, and nobody says that it is gone (%o)',
  async (holder) => {
    const { state, deps } = clusterWith(['example.com/keep']);
    expect(await restore(deps, input(holder), new AbortController())).toMatchObject({
      kind: 'restored',
      exact: false,
      objects: [{ state: 'drifted', differences: [{ field: '/metadata/finalizers', found: '["example.com/keep"]' }] }],
    });
    expect(state.live).toMatchObject({ specs: INERT['/specs'], metadata: { deletionTimestamp: 'now' } });
  },
);

test('one that nobody holds is removed', async () => {
  const { state, deps } = clusterWith([]);
  expect(await restore(deps, input('operation'), new AbortController())).toMatchObject({ exact: true, objects: [{ state: 'restored' }] });
  expect(state.live).toBeUndefined();
});
