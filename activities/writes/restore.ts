import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterFailure, isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { RestoredObject, RestoreInput, RestoreResult } from '../../src/domain/lifecycle/contract.ts';
import { type Original, objectKey, parseToken, tokenOf } from '../../src/domain/lifecycle/plan.ts';
import { inParallel, URGENT_AT_ONCE } from '../../src/fan-out.ts';
import type { WriteDeps } from './apply.ts';
import { difference, differences, gone, same } from './differences.ts';
import { digestOf } from './digest.ts';
import { guardedPatch, isBare, TOKEN_POINTER, tokenIn } from './guarded-patch.ts';
import { isHeld } from './held.ts';
import { isHolder, restoreMade, type Step } from './made.ts';
import { withFields } from './manifest.ts';
import { type Ours, sortFields } from './ours.ts';
import { isExposedBeyond } from './own.ts';
import { replaceBack } from './replace.ts';
import { comesAndGoes, lastWrites } from './written.ts';

export interface RestoreOptions {
  readonly signal: AbortSignal;
  /** Called when the API has acknowledged the last write, before anything is read back. */
  readonly acknowledged?: (at: number) => void;
  /** How many of the pods that have to be replaced again are: a restore of those takes minutes. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

const TRIES = 8;

/**
 * Puts the managed fields back as they were before the operation, as the bot itself, and reads back. Writes only where the
 * token entitles to (`holder`), and only values of this operation; may be repeated at any time. Throws ClusterFailure when
 * it must be tried again: then nothing is known about what was written.
 */
export async function restore(deps: WriteDeps, input: RestoreInput, options: RestoreOptions): Promise<RestoreResult> {
  const pending = new Set(input.originals);
  const written = (original: Original): void => {
    if (pending.delete(original) && pending.size === 0) options.acknowledged?.(deps.now());
  };
  const steps: Step[] = [];
  for (const group of inOrder(input)) {
    const done = await inParallel(group, URGENT_AT_ONCE, (original) =>
      restoreOne(deps, input, original, options.signal, () => written(original)),
    );
    steps.push(...done);
    if (input.holder !== 'operation' && done.some((step) => step.kind === 'superseded')) break;
  }
  if (steps.every(({ kind }) => kind !== 'superseded')) await replaceBack(deps, input, options);
  const at = deps.now();
  const superseded = steps.find((step) => step.kind === 'superseded');
  if (superseded) {
    deps.log.warn(
      { opId: input.opId, object: objectKey(superseded.object), token: superseded.token },
      'restore superseded, nothing written',
    );
    return { ...superseded, at };
  }
  const done = steps.filter((step) => step.kind === 'object');
  deps.log.info({ opId: input.opId, states: done.map(({ restored }) => restored.state) }, 'restored');
  return { kind: 'restored', objects: done.map((step) => step.restored), exact: done.every((step) => step.exact), at };
}

/**
 * What the stage itself has written goes first: it is where the harm is, and its token tells a late fuse before anything else is touched.
 * Pods come last: as long as a policy stands, their label is part of it.
 */
function inOrder({ originals, written, holder }: RestoreInput): readonly (readonly Original[])[] {
  const last = holder === 'operation' ? Number.POSITIVE_INFINITY : holder.stage;
  const stageOf = lastWrites(written, last);
  const isLead = ({ object }: Original) =>
    !comesAndGoes(object) && (holder === 'operation' || stageOf.get(objectKey(object))?.stage === holder.stage);
  const leads = originals.filter(isLead);
  return [leads, originals.filter((original) => !isLead(original))].filter((group) => group.length > 0);
}

async function restoreOne(
  deps: WriteDeps,
  input: RestoreInput,
  planned: Original,
  signal: AbortSignal,
  acknowledged: () => void,
): Promise<Step> {
  let original = planned;
  if (original.manifest !== undefined) {
    const step = await restoreMade(deps, input, original, signal);
    if (step.kind === 'object') acknowledged();
    if (step.kind !== 'patch') return step;
  }
  if (await restoredAtOnce(deps, input, original, signal)) {
    acknowledged();
    const step = await readBack(deps, original, 'restored', [], signal);
    return step.kind === 'object' && !step.exact ? ((await restoreCopies(deps, input, original, signal)) ?? step) : step;
  }
  let last: ClusterFailure | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const object = await deps.cluster.read(original.object, { signal });
    if (!object || (object.metadata.uid !== original.uid && !isSuccessor(input, original, object))) {
      acknowledged();
      // A pod that has gone has taken its label along: nothing differs from before.
      return { kind: 'object', restored: { object: original.object, state: 'gone' }, exact: comesAndGoes(original.object) };
    }
    if (object.metadata.uid !== original.uid && comesAndGoes(original.object)) original = successorOf(original, object);
    const ours = sortFields(object, original, input);
    const right = await rightTo(deps, input, original, object, ours);
    if (right === 'superseded') return { kind: 'superseded', object: original.object, token: tokenIn(object) };
    try {
      if (right === 'write') await write(deps, original, object, ours, signal);
      acknowledged();
      const drift = driftOf(input, right, original, object, ours);
      return await readBack(deps, original, right === 'write' ? 'restored' : 'unchanged', drift, signal);
    } catch (error) {
      if (!isFailure(error, 'Conflict', 'Invalid', 'NotFound')) throw error;
      last = error;
      await sleep(5 * attempt * attempt, undefined, { signal });
    }
  }
  throw last ?? new ClusterFailure('Conflict', `${objectKey(original.object)} changed too often to be put back`);
}

/**
 * Another object of the same name that carries a token of this operation was made from what the operation had written (`kubectl replace --force`, a
 * backup that was brought back), or is a pod that was labelled in the place of the one before it: what it wrote is in force there, and goes back like
 * in the first one. What is made anew never is.
 */
function isSuccessor({ opId }: RestoreInput, { manifest }: Original, object: KubeObject): boolean {
  return manifest === undefined && parseToken(tokenIn(object) ?? '')?.opId === opId;
}

/** Of a pod under the name of another: it was what it is now without what the operation has written into it. */
function successorOf(original: Original, object: KubeObject): Original {
  const before = withFields(object as unknown as JsonObject, { ...original.fields, [TOKEN_POINTER]: null });
  return { ...original, uid: object.metadata.uid, token: null, digest: digestOf(before as unknown as KubeObject) };
}

/** A fuse knows exactly what must be there, so it needs no read before its write. False: look first. */
async function restoredAtOnce(deps: WriteDeps, input: RestoreInput, original: Original, signal: AbortSignal): Promise<boolean> {
  if (input.holder === 'operation') return false;
  const last = lastWrites(input.written, input.holder.stage).get(objectKey(original.object));
  if (!last) return false;
  const from = { ...original.fields, ...last.fields };
  const token = { from: tokenOf(input.opId, last.stage), to: original.token };
  try {
    await deps.cluster.patch(original.object, guardedPatch({ uid: original.uid, token, from, to: original.fields }), { signal });
    return true;
  } catch (error) {
    if (isFailure(error, 'Conflict', 'Invalid', 'NotFound')) return false;
    throw error;
  }
}

/** Another hand may have copied what stood there into a place of its own, where no test of the fuse's patch has looked. */
async function restoreCopies(deps: WriteDeps, input: RestoreInput, original: Original, signal: AbortSignal): Promise<Step | undefined> {
  const object = await deps.cluster.read(original.object, { signal });
  if (object?.metadata.uid !== original.uid || tokenIn(object) !== original.token) return undefined;
  const ours = sortFields(object, original, input);
  if (!leavesOurs(ours)) return undefined;
  await write(deps, original, object, ours, signal);
  return readBack(deps, original, 'restored', ours.drift, signal);
}

/** What the token on the live object, and the values beside it, entitle to. */
async function rightTo(
  deps: WriteDeps,
  input: RestoreInput,
  original: Original,
  object: KubeObject,
  ours: Ours,
): Promise<'write' | 'leave' | 'superseded'> {
  const token = tokenIn(object);
  const holder = token === null ? undefined : parseToken(token);
  if (holder?.opId === input.opId) {
    return isHolder(input, original.object, holder.stage) ? 'write' : 'superseded';
  }
  if (token !== null && token !== original.token && (input.holder !== 'operation' || (await isHeld(deps, token)))) return 'superseded';
  const isLeft = leavesOurs(ours);
  if (!isLeft && differences(object, original.object, original.fields).length === 0) return 'leave';
  // No token of ours, and not the old values. A fuse may be late and touches nothing. The undo of the whole operation takes
  // back what it wrote if that still stands (somebody stripped the annotation, or wrote one that belongs to nobody); the rest is another hand's.
  if (input.holder !== 'operation') return 'superseded';
  return isLeft ? 'write' : 'leave';
}

/** Is anything that the operation has written still there, where it wrote it or where it is now? */
function leavesOurs({ from, to }: Ours): boolean {
  return Object.entries(from).some(([field, value]) => !same(value, to[field] ?? null));
}

async function write(deps: WriteDeps, original: Original, object: KubeObject, ours: Ours, signal: AbortSignal): Promise<void> {
  const token = { from: tokenIn(object), to: original.token };
  const { from, to } = ours;
  await deps.cluster.patch(original.object, guardedPatch({ uid: object.metadata.uid, token, from, to, bare: isBare(object) }), { signal });
}

function driftOf(input: RestoreInput, right: 'write' | 'leave', original: Original, object: KubeObject, ours: Ours): Ours['drift'] {
  const token = tokenIn(object);
  const { uid } = object.metadata;
  if (uid !== original.uid) return [...ours.drift, gone(original.object, original.uid, object)];
  const isForeign = right === 'write' && (token === null || parseToken(token)?.opId !== input.opId);
  return isForeign ? [...ours.drift, difference(original.object, TOKEN_POINTER, 'the token of this operation', token)] : ours.drift;
}

async function readBack(
  deps: WriteDeps,
  original: Original,
  state: 'restored' | 'unchanged',
  drift: Ours['drift'],
  signal: AbortSignal,
): Promise<Step> {
  const object = await deps.cluster.read(original.object, { signal });
  const exact = object?.metadata.uid === original.uid && digestOf(object) === original.digest;
  const restored: RestoredObject = {
    object: original.object,
    ...(drift.length > 0 ? { state: 'drifted', differences: drift } : { state }),
    ...(object && isExposedBeyond(object, original) && { exposes: true }),
  };
  return { kind: 'object', restored, exact };
}
