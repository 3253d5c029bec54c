import { describe, expect, it } from 'vitest';
import { checkHeld } from '../../../activities/planning/held.ts';
import { applyStage, type WriteDeps } from '../../../activities/writes/apply.ts';
import { digestOf } from '../../../activities/writes/digest.ts';
import { restore } from '../../../activities/writes/restore.ts';
import type { Cluster } from '../../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure } from '../../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/objects.ts';
import type { PlanInput, RestoreInput } from '../../../src/domain/lifecycle/contract.ts';
import { concludeOperation } from '../../../src/domain/lifecycle/outcome.ts';
import { TOKEN_ANNOTATION } from '../../../src/domain/lifecycle/plan.ts';
import { SILENT } from '../../../src/log.ts';
import { applyPatch } from '../../support/json-patch.ts';

/** Anybody can write the annotation that says who holds an object. It counts only where its operation is known. */

const ROUTE = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'backend', name: 'backend' };
const WEIGHT = '/spec/rules/0/backendRefs/0/weight';
const KNOWN = 'canary-known1';
const { signal } = new AbortController();

function routeWith(weight: number, token: string | null): KubeObject {
  return {
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
  } as KubeObject;
}

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

const asking = { opId: 'canary-mine01', request: { verb: 'canary' } } as PlanInput;
const write = { object: ROUTE, uid: 'uid-1', generation: 1, before: { [WEIGHT]: 0 }, after: { [WEIGHT]: 10 } };
const stage = { number: 1, label: '10%', exposure: 0.1, writes: [write] };
function undoOf(holder: RestoreInput['holder']): RestoreInput {
  return {
    opId: 'canary-mine01',
    originals: [{ object: ROUTE, uid: 'uid-1', fields: { [WEIGHT]: 0 }, token: null, digest: digestOf(routeWith(0, null)) }],
    written: [{ stage: 1, writes: [write] }],
    holder,
  };
}
function weightOf(live: KubeObject): unknown {
  return (live as unknown as { spec: { rules: { backendRefs: { weight: number }[] }[] } }).spec.rules[0]?.backendRefs[0]?.weight;
}

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
    expect(await checkHeld(deps, [state.live], [stage], asking)).toBeUndefined();
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
    expect(await checkHeld(deps, [state.live], [stage], asking)).toMatchObject({ code: 'Held' });
  });
});

it('an undo that cannot learn whose token it is changes nothing, and is tried again', async () => {
  const { state, deps } = mesh(10, 'canary-nobody/1', async () => Promise.reject(new Error('the database does not answer')));
  await expect(restore(deps, undoOf('operation'), { signal })).rejects.toThrow('does not answer');
  expect(weightOf(state.live)).toBe(10);
});

describe('a rule that another hand has put before ours', () => {
  const twoRules = (weights: readonly number[], token: string | null): KubeObject => ({
    ...routeWith(0, token),
    spec: { rules: weights.map((weight) => ({ backendRefs: [{ name: 'backend-canary', weight }] })) } as never,
  });
  const named = (weight: number) => ({ [WEIGHT]: weight, [WEIGHT.replace('weight', 'name')]: 'backend-canary' });
  const written = { ...write, before: named(0), after: named(10) };
  const undone = async (holder: RestoreInput['holder'], weights: readonly number[], token: string | null) => {
    const { state, deps } = mesh(10, token);
    state.live = twoRules(weights, token);
    const original = { object: ROUTE, uid: 'uid-1', fields: named(0), own: [WEIGHT], token: null, digest: digestOf(routeWith(0, null)) };
    const input: RestoreInput = { opId: 'canary-mine01', originals: [original], written: [{ stage: 1, writes: [written] }], holder };
    const result = await restore(deps, input, { signal });
    const { rules } = state.live.spec as unknown as { rules: { backendRefs: { weight: number }[] }[] };
    return { result, weights: rules.map(({ backendRefs }) => backendRefs[0]?.weight) };
  };

  it.each<[string, RestoreInput['holder'], readonly number[], string | null]>([
    ['by a fuse', { stage: 1 }, [0, 10], 'canary-mine01/1'],
    ['by a fuse, also where it is a copy', { stage: 1 }, [10, 10], 'canary-mine01/1'],
    ['by the undo', 'operation', [0, 10], 'canary-mine01/1'],
    ['by the undo, with the token gone', 'operation', [0, 10], null],
  ])('leaves nothing of ours in force: %s', async (_what, holder, weights, token) => {
    const undo = await undone(holder, weights, token);
    expect(undo.weights).toEqual([0, 0]);
    expect(undo.result).toMatchObject({ kind: 'restored', exact: false, objects: [{ state: 'drifted' }] });
  });
});

describe('an object that was made anew under its name', () => {
  const replaced = async (holder: RestoreInput['holder'], token: string | null) => {
    const { state, deps } = mesh(10, token);
    state.live = { ...state.live, metadata: { ...state.live.metadata, uid: 'uid-2' } };
    const result = await restore(deps, undoOf(holder), { signal });
    return { result, weight: weightOf(state.live), token: state.live.metadata.annotations?.[TOKEN_ANNOTATION] };
  };

  it.each<RestoreInput['holder']>(['operation', { stage: 1 }])(
    'with what the operation had written there is put back all the same (%o)',
    async (holder) => {
      const { result, ...now } = await replaced(holder, 'canary-mine01/1');
      expect(now).toEqual({ weight: 0, token: undefined });
      expect(result).toMatchObject({
        kind: 'restored',
        exact: false,
        objects: [{ state: 'drifted', differences: [{ field: '/metadata/uid' }] }],
      });
    },
  );

  it('by others is left alone, and told so', async () => {
    const { result, weight } = await replaced('operation', null);
    expect(weight).toBe(10);
    expect(result).toMatchObject({ kind: 'restored', exact: false, objects: [{ state: 'gone' }] });
    const undone = { kind: 'restored', exact: false, drifted: ['HTTPRoute b/c'], gone: ['HTTPRoute a/b'] } as const;
    expect(concludeOperation({ kind: 'aborted', code: 'Aborted' }, undone).words).toBe(
      'Aborted. Our own values were rolled back. HTTPRoute a/b was deleted or replaced by others; what is there now was left alone. Others changed HTTPRoute b/c, which was left alone. Look at it before the next change.',
    );
  });
});
