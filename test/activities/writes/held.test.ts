import { describe, expect, it } from 'vitest';
import { checkHeld } from '../../../activities/canary/preconditions.ts';
import type { Cluster } from '../../../activities/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../activities/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../../activities/clients/kubernetes/objects.ts';
import type { RestoreInput } from '../../../activities/contract.ts';
import { SILENT } from '../../../activities/log.ts';
import { applyStage, type WriteDeps } from '../../../activities/writes/apply.ts';
import { digestOf } from '../../../activities/writes/digest.ts';
import { restore } from '../../../activities/writes/restore.ts';
import { TOKEN_ANNOTATION } from '../../../src/domain/plan.ts';
import { applyPatch } from '../../support/json-patch.ts';

/** Anybody can write the annotation that says who holds an object. It counts only where its operation is known. */

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
const WEIGHT = '/spec/rules/0/backendRefs/0/weight';
const KNOWN = 'canary-known1';
const { signal } = new AbortController();

const routeWith = (weight: number, token: string | null): KubeObject =>
  ({
    ...ROUTE,
    metadata: {
      name: 'backend',
      namespace: 'backend',
      uid: 'uid-1',
      generation: 1,
      resourceVersion: '1',
      annotations: { team: 'mesh', ...(token !== null && { [TOKEN_ANNOTATION]: token }) },
    },
    spec: { rules: [{ backendRefs: [{ name: 'backend-canary', weight }] }] },
  }) as KubeObject;

function mesh(weight: number, token: string | null, holds: WriteDeps['audit']['holds'] = async (opId) => opId === KNOWN) {
  const state = { live: routeWith(weight, token) };
  const cluster = {
    read: async () => state.live,
    patch: async (_ref: unknown, patch: never) => {
      const after = applyPatch(state.live, patch);
      if (after === undefined) throw new ClusterFailure('Invalid', 'a test of the patch did not hold');
      state.live = after as KubeObject;
      return state.live;
    },
  } as unknown as Cluster;
  const deps: WriteDeps = { cluster, audit: { holds }, now: () => 0, log: SILENT };
  return { state, deps };
}

const write = { object: ROUTE, uid: 'uid-1', generation: 1, before: { [WEIGHT]: 0 }, after: { [WEIGHT]: 10 } };
const undoOf = (holder: RestoreInput['holder']): RestoreInput => ({
  opId: 'canary-mine01',
  originals: [{ object: ROUTE, uid: 'uid-1', fields: { [WEIGHT]: 0 }, token: null, digest: digestOf(routeWith(0, null)) }],
  written: [{ stage: 1, writes: [write] }],
  holder,
});
const weightOf = (live: KubeObject): unknown =>
  (live as unknown as { spec: { rules: { backendRefs: { weight: number }[] }[] } }).spec.rules[0]?.backendRefs[0]?.weight;

describe('a token of an operation that nobody knows', () => {
  it.each(['canary-nobody/1', 'scribble'])('does not make the undo step aside (%s)', async (token) => {
    const { state, deps } = mesh(10, token);
    expect(await restore(deps, undoOf('operation'), { signal })).toMatchObject({
      kind: 'restored',
      exact: true,
      objects: [{ state: 'drifted', differences: [{ found: token }] }],
    });
    expect(weightOf(state.live)).toBe(0);
    expect(state.live.metadata.annotations).toEqual({ team: 'mesh' });
  });

  it('holds no plan, and no first write', async () => {
    const { state, deps } = mesh(0, 'canary-nobody/1');
    expect(await checkHeld(deps, [state.live], 'canary-mine01')).toBeUndefined();
    const stage = { number: 1, label: '10%', exposure: 0.1, writes: [write] };
    const input = { opId: 'canary-mine01', target: { cluster: 'demo', namespace: 'backend', name: 'backend' }, stage, as: undefined };
    expect(await applyStage(deps, { ...input, tokenBefore: { 'HTTPRoute/backend/backend': null } }, signal)).toMatchObject({
      kind: 'applied',
    });
    expect(weightOf(state.live)).toBe(10);
  });
});

describe('a token of an operation that is known and not over', () => {
  it('is stepped aside for, by a fuse and by an undo', async () => {
    for (const holder of [{ stage: 1 }, 'operation'] as const) {
      const { state, deps } = mesh(10, `${KNOWN}/1`);
      expect(await restore(deps, undoOf(holder), { signal })).toMatchObject({ kind: 'superseded', token: `${KNOWN}/1` });
      expect(weightOf(state.live)).toBe(10);
    }
  });

  it('holds a plan', async () => {
    const { state, deps } = mesh(0, `${KNOWN}/1`);
    expect(await checkHeld(deps, [state.live], 'canary-mine01')).toMatchObject({ code: 'Held' });
  });
});

it('an undo that cannot learn whose token it is changes nothing, and is tried again', async () => {
  const { state, deps } = mesh(10, 'canary-nobody/1', async () => Promise.reject(new Error('the database does not answer')));
  await expect(restore(deps, undoOf('operation'), { signal })).rejects.toThrow('does not answer');
  expect(weightOf(state.live)).toBe(10);
});
