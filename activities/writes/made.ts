import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterFailure, isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { RestoredObject, RestoreInput } from '../../src/domain/lifecycle/contract.ts';
import { type ObjectRef, type Original, objectKey, parseToken } from '../../src/domain/lifecycle/plan.ts';
import { valueAt } from '../../src/domain/lifecycle/pointer.ts';
import type { WriteDeps } from './apply.ts';
import { difference, differences } from './differences.ts';
import { digestOf } from './digest.ts';
import { guardedPatch, tokenIn } from './guarded-patch.ts';
import { isHeld } from './held.ts';
import { withToken } from './manifest.ts';
import { lastWrites } from './written.ts';

/** What became of one object of the undo. */
export type Step =
  | { readonly kind: 'object'; readonly restored: RestoredObject; readonly exact: boolean }
  | { readonly kind: 'superseded'; readonly object: ObjectRef; readonly token: string | null };

const TRIES = 8;

/** Does a token of ours, of this stage, entitle the holder? A stage that does not write an object leaves the token of an earlier one. */
export function isHolder({ holder, written }: RestoreInput, object: ObjectRef, stage: number): boolean {
  if (holder === 'operation') return true;
  const lastUpTo = (most: number): number | undefined => lastWrites(written, most).get(objectKey(object))?.stage;
  return lastUpTo(holder.stage) === stage || (holder.since !== undefined && lastUpTo(holder.since) === stage);
}

/**
 * The undo of an object that the operation has made (it is removed), or that a stage of it has removed (it is made again). `patch`: the
 * object still stands as it was found, and its fields are put back like any other's.
 */
export async function restoreMade(
  deps: WriteDeps,
  input: RestoreInput,
  original: Original,
  signal: AbortSignal,
): Promise<Step | { readonly kind: 'patch' }> {
  let last: ClusterFailure | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const object = await deps.cluster.read(original.object, { signal });
    try {
      const step = original.manifest
        ? await remake(deps, input, original, object, signal)
        : await unmake(deps, input, original, object, signal);
      if (step) return step;
    } catch (error) {
      if (!isFailure(error, 'Conflict', 'AlreadyExists', 'Invalid', 'NotFound')) throw error;
      last = error;
    }
    await sleep(5 * attempt * attempt, undefined, { signal });
  }
  throw last ?? new ClusterFailure('Conflict', `${objectKey(original.object)} changed too often to be put back`);
}

/** Removes what the operation made: exactly the version that was looked at. Undefined: look again. */
async function unmake(
  deps: WriteDeps,
  input: RestoreInput,
  original: Original,
  object: KubeObject | undefined,
  signal: AbortSignal,
): Promise<Step | undefined> {
  // There was none before: whoever removed it, it is as it was.
  if (!object) return told(original, 'unchanged', true);
  const token = tokenIn(object);
  const holder = token === null ? undefined : parseToken(token);
  const isOwn = holder?.opId === input.opId;
  if (token !== null && !isOwn && input.holder === 'operation' && (await isHeld(deps, token)))
    return { kind: 'superseded', object: original.object, token };
  if (!isOwn) {
    if (input.holder !== 'operation') return { kind: 'superseded', object: original.object, token };
    // Somebody has taken the token off, or written one that belongs to nobody, and it still is what the operation made of it: ours. Anything else is another hand's.
    const last = lastWrites(input.written, Number.POSITIVE_INFINITY).get(objectKey(original.object));
    const isOurs = last !== undefined && differences(object, original.object, last.fields).length === 0;
    if (!isOurs) return told(original, 'gone', false);
  } else if (!isHolder(input, original.object, holder.stage)) {
    return { kind: 'superseded', object: original.object, token };
  }
  const { finalizers = [] } = object.metadata;
  if (finalizers.length > 0) return unmakeHeld(deps, original, object, finalizers, signal);
  await deps.cluster.remove(original.object, object.metadata, { signal });
  return told(original, 'restored', true);
}

/**
 * Others have put finalizers on what the operation made, so it stays there, and in force, until they let go of it. It becomes what it was when it
 * was claimed first (it selects nobody), and is told as what others hold.
 */
async function unmakeHeld(
  { cluster }: WriteDeps,
  original: Original,
  object: KubeObject,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<Step> {
  const from = Object.fromEntries(Object.keys(original.fields).map((field) => [field, valueAt(object, field)]));
  const token = { from: tokenIn(object), to: tokenIn(object) };
  const inert = await cluster.patch(original.object, guardedPatch({ uid: object.metadata.uid, token, from, to: original.fields }), {
    signal,
  });
  await cluster.remove(original.object, inert.metadata, { signal });
  const left = await cluster.read(original.object, { signal });
  if (left?.metadata.uid !== object.metadata.uid) return told(original, 'restored', true);
  const differences = [difference(original.object, '/metadata/finalizers', null, [...finalizers])];
  return { kind: 'object', restored: { object: original.object, state: 'drifted', differences }, exact: false };
}

/** Makes again what a stage has removed; one that others removed before that stage stays away. */
async function remake(
  { cluster }: WriteDeps,
  input: RestoreInput,
  original: Original,
  object: KubeObject | undefined,
  signal: AbortSignal,
): Promise<Step | { readonly kind: 'patch' } | undefined> {
  if (object?.metadata.uid === original.uid) return { kind: 'patch' };
  // An earlier attempt has made it again, or somebody else has put something in its place.
  if (object) return digestOf(object) === original.digest ? told(original, 'unchanged', true) : told(original, 'gone', false);
  const stage = input.holder === 'operation' ? Number.POSITIVE_INFINITY : input.holder.stage;
  if (!lastWrites(input.written, stage).get(objectKey(original.object))?.isDeleted) return told(original, 'gone', false);
  const made = await cluster.create(withToken(original.manifest ?? {}, original.token), original.object, { signal });
  return told(original, 'restored', digestOf(made) === original.digest);
}

function told({ object }: Original, state: RestoredObject['state'], exact: boolean): Step {
  return { kind: 'object', restored: { object, state }, exact };
}
