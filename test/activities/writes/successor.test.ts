import { describe, expect, test } from 'vitest';
import { isUndone } from '../../../activities/watch/earlier.ts';
import type { WriteDeps } from '../../../activities/writes/apply.ts';
import { digestOf } from '../../../activities/writes/digest.ts';
import { inspect } from '../../../activities/writes/inspect.ts';
import { restore } from '../../../activities/writes/restore.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { RestoreInput } from '../../../src/domain/lifecycle/contract.ts';
import { TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { COHORT_LABEL } from '../../../src/domain/policy/stages/rule-document.ts';
import { COHORT_POINTER } from '../../../src/domain/policy/stages/stages.ts';
import { SILENT } from '../../../src/log.ts';
import { applyPatch } from '../../support/json-patch.ts';

const OP = 'policy-mine01';
const REF = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'db-2' };

/** The pod that came back under its name; `token` and label as they were written into it. */
function again(token: string | undefined): KubeObject {
  const annotations = { note: 'own', ...(token !== undefined && { [TOKEN_ANNOTATION]: token }) };
  const labels = { app: 'db', ...(token !== undefined && { [COHORT_LABEL]: OP }) };
  const metadata = { name: 'db-2', namespace: 'shop', uid: 'second', resourceVersion: '1', labels, annotations };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'n' } } as unknown as KubeObject;
}

function clusterWith(live: KubeObject) {
  const state = { live };
  const cluster = {
    read: async () => state.live,
    patch: async (_ref: unknown, ops: never) => {
      const after = applyPatch(state.live, ops);
      if (after === undefined) throw new ClusterFailure('Invalid', 'a test of the patch did not hold');
      state.live = after as KubeObject;
      return state.live;
    },
  } as unknown as Cluster;
  const deps: WriteDeps = { cluster, audit: { holds: async () => false }, now: () => 0, log: SILENT };
  return { state, deps };
}

const write = (uid: string) => ({
  object: REF,
  uid,
  generation: 0,
  before: { [COHORT_POINTER]: null },
  after: { [COHORT_POINTER]: OP },
});
// What is known is of the pod before it, as a lost run has it from its plan.
const input = (holder: RestoreInput['holder']): RestoreInput => ({
  opId: OP,
  originals: [{ object: REF, uid: 'first', fields: { [COHORT_POINTER]: null }, token: 'policy-old001/3', digest: 'of the first' }],
  written: [{ stage: 1, writes: [write('first')] }],
  holder,
});
const signal = new AbortController().signal;

describe('a pod that came back under its name (StatefulSet)', () => {
  test.each<RestoreInput['holder']>(['operation', { stage: 1 }])(
    'and was labelled again is as it was itself after the undo, to the letter (%o)',
    async (holder) => {
      const { state, deps } = clusterWith(again(`${OP}/1`));
      const cleared = digestOf(again(undefined));
      expect(await restore(deps, input(holder), { signal })).toMatchObject({
        kind: 'restored',
        exact: true,
        objects: [{ state: 'restored' }],
      });
      expect(digestOf(state.live)).toBe(cleared);
    },
  );

  test('and has nothing of the operation is left alone, and no drift', async () => {
    const { state, deps } = clusterWith(again(undefined));
    const before = structuredClone(state.live);
    expect(await restore(deps, input('operation'), { signal })).toMatchObject({ exact: true, objects: [{ state: 'gone' }] });
    expect(state.live).toEqual(before);
    const stage = { number: 1, label: '1 pod', exposure: 0.3, writes: [write('first')] };
    const asked = { opId: OP, stage, written: [{ stage: 1, writes: [write('first')] }] };
    expect(await inspect(deps, asked as never, signal)).toMatchObject({ differences: [] });
  });

  test('is not undone as long as it carries the label', async () => {
    const [labelled, bare] = [clusterWith(again(`${OP}/1`)), clusterWith(again(undefined))];
    expect(await isUndone(labelled.deps.cluster, input('operation'), signal)).toBe(false);
    expect(await isUndone(bare.deps.cluster, input('operation'), signal)).toBe(true);
  });
});
