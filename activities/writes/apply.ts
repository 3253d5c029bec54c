import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { ClusterFailure, isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { ApplyInput, ApplyResult } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, parseToken, tokenOf, type Write } from '../../src/domain/lifecycle/plan.ts';
import type { Log } from '../../src/log.ts';
import type { AuditLog } from '../../src/ports.ts';
import { difference, differences, gone } from './differences.ts';
import { guardedPatch, isBare, TOKEN_POINTER, tokenIn } from './guarded-patch.ts';
import { isHeld } from './held.ts';
import { withToken } from './manifest.ts';
import { replacePod } from './replace.ts';
import { comesAndGoes } from './written.ts';

export interface WriteDeps {
  readonly cluster: Cluster;
  readonly audit: Pick<AuditLog, 'holds'>;
  readonly now: () => number;
  readonly log: Log;
}

type Refused = Exclude<ApplyResult, { kind: 'applied' }>;
/** `free`: the write may go; without an object it makes one. `done`: nothing is left to do, and the object may be gone. */
type Done = { readonly kind: 'done'; readonly object: KubeObject | undefined };
type Look = Done | { readonly kind: 'free'; readonly object: KubeObject | undefined } | Refused;

/** Writes made between our read and our patch are met by reading again; this often, then Temporal's retry takes over. */
const TRIES = 6;

/**
 * Writes one stage, object after object, each guarded by the values and the token that must be there. What this stage has
 * written already is recognised, so an attempt may be repeated. Pods that have gone are passed over. Throws ClusterFailure when the API
 * did not answer.
 */
export async function applyStage(deps: WriteDeps, input: ApplyInput, signal: AbortSignal): Promise<ApplyResult> {
  const generations: Record<string, number> = {};
  const made: Record<string, string> = {};
  let firstAt: number | undefined;
  let at = deps.now();
  for (const write of input.stage.writes) {
    const outcome = await applyWrite(deps, input, write, signal);
    if (outcome.kind !== 'done') return outcome;
    at = deps.now();
    firstAt ??= at;
    generations[objectKey(write.object)] = outcome.object?.metadata.generation ?? 0;
    if (outcome.object && isCreation(input, write)) made[objectKey(write.object)] = outcome.object.metadata.uid;
  }
  return { kind: 'applied', generations, ...(Object.keys(made).length > 0 && { made }), mixedMs: at - (firstAt ?? at), at };
}

async function applyWrite(deps: WriteDeps, input: ApplyInput, write: Write, signal: AbortSignal): Promise<Refused | Done> {
  if (write.kind === 'replace') return replacement(deps, input, write, signal);
  let last: ClusterFailure | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const look = await lookAt(deps, input, write, signal);
    if (look.kind !== 'free') return look;
    try {
      const object = await perform(deps, input, write, look.object, signal);
      deps.log.info({ opId: input.opId, stage: input.stage.number, object: objectKey(write.object) }, 'stage written');
      return { kind: 'done', object };
    } catch (error) {
      if (isFailure(error, 'Forbidden')) return { kind: 'forbidden', words: error.message };
      // A failed test and an object that breaks its schema are both 422: reading again tells them apart.
      if (!isFailure(error, 'Conflict', 'AlreadyExists', 'Invalid', 'NotFound')) throw error;
      if (error.reason === 'Invalid' && error.fields.length > 0) throw error;
      last = error;
      await sleep(5 * attempt * attempt, undefined, { signal });
    }
  }
  throw last ?? new ClusterFailure('Conflict', `${objectKey(write.object)} changed too often to be written`);
}

/** The claim replaces nobody. */
async function replacement(deps: WriteDeps, { opId, stage, as }: ApplyInput, write: Write, signal: AbortSignal): Promise<Refused | Done> {
  if (stage.number === 0) return { kind: 'done', object: undefined };
  try {
    return { kind: 'done', object: await replacePod(deps, write, tokenOf(opId, stage.number), { signal, as }) };
  } catch (error) {
    if (isFailure(error, 'Forbidden')) return { kind: 'forbidden', words: error.message };
    throw error;
  }
}

/** The claim makes what does not exist and takes the token of what does; a deletion happens in its own stage only. */
function isCreation({ stage }: ApplyInput, { kind }: Write): boolean {
  return kind === 'create' && stage.number === 0;
}

function isDeletion({ stage }: ApplyInput, { kind }: Write): boolean {
  return kind === 'delete' && stage.number > 0;
}

async function perform(
  { cluster }: WriteDeps,
  input: ApplyInput,
  write: Write,
  live: KubeObject | undefined,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const options = { signal, as: input.as };
  if (!live) return cluster.create(withToken(write.manifest ?? {}, tokenOf(input.opId, input.stage.number)), write.object, options);
  if (!isDeletion(input, write)) return cluster.patch(write.object, patchOf(input, write, live), options);
  await cluster.remove(write.object, live.metadata, options);
  return undefined;
}

/** Reads the object and says whether the write is free to go, done already, or refused. */
async function lookAt(deps: WriteDeps, input: ApplyInput, write: Write, signal: AbortSignal): Promise<Look> {
  const object = await deps.cluster.read(write.object, { signal });
  const isAnother = object !== undefined && write.uid !== '' && object.metadata.uid !== write.uid;
  if (!object || isAnother) return lookAtNothing(input, write, object);
  const token = tokenIn(object);
  const own = tokenOf(input.opId, input.stage.number);
  if (token === own && !isDeletion(input, write) && differences(object, write.object, write.after).length === 0)
    return { kind: 'done', object };
  // The name was free when the plan was made.
  if (isCreation(input, write))
    return { kind: 'drift', differences: [difference(write.object, '/metadata/uid', null, object.metadata.uid)] };
  const expected = input.tokenBefore[objectKey(write.object)] ?? null;
  if (!(await mayTake(deps, token, expected, input.opId))) {
    const isHolder = token !== null && (parseToken(token)?.opId === input.opId || (await isHeld(deps, token)));
    if (isHolder) return { kind: 'held', object: write.object, token };
    return { kind: 'drift', differences: [difference(write.object, TOKEN_POINTER, expected, token)] };
  }
  const found = [...differences(object, write.object, write.before)];
  if (found.length === 0 && testsGeneration(expected, input, write) && object.metadata.generation !== write.generation) {
    found.push(difference(write.object, '/metadata/generation', write.generation, object.metadata.generation ?? null));
  }
  return found.length > 0 ? { kind: 'drift', differences: found } : { kind: 'free', object };
}

/** The object is not there, or its name belongs to another one. */
function lookAtNothing(input: ApplyInput, write: Write, other: KubeObject | undefined): Look {
  if (comesAndGoes(write.object)) return { kind: 'done', object: undefined };
  if (!other && isCreation(input, write)) return { kind: 'free', object: undefined };
  if (!other && isDeletion(input, write)) return { kind: 'done', object: undefined };
  return { kind: 'drift', differences: [gone(write.object, write.uid, other)] };
}

/** The token expected is there; or none was expected and the one there holds nothing. */
async function mayTake(deps: WriteDeps, token: string | null, expected: string | null, opId: string): Promise<boolean> {
  if (token === expected) return true;
  if (expected !== null || token === null) return false;
  // Our own token of another stage means that this attempt is late, whatever the audit says.
  return parseToken(token)?.opId !== opId && !(await isHeld(deps, token));
}

/**
 * Later stages are fenced by their predecessor's token. The first has none of this operation, and an undo puts back what was
 * there: only the generation tells a late attempt that the object has been written and put back since. 0 = the object has none.
 */
function testsGeneration(expected: string | null, { opId }: ApplyInput, { generation }: Write): boolean {
  const isOwn = expected !== null && parseToken(expected)?.opId === opId;
  return !isOwn && generation !== 0;
}

function patchOf(input: ApplyInput, write: Write, live: KubeObject) {
  const expected = input.tokenBefore[objectKey(write.object)] ?? null;
  return guardedPatch({
    // An object of our own making is known by its token; the uid read just now keeps the patch from landing on its successor.
    uid: write.uid === '' ? live.metadata.uid : write.uid,
    ...(testsGeneration(expected, input, write) && { generation: write.generation }),
    token: { from: tokenIn(live), to: tokenOf(input.opId, input.stage.number) },
    from: write.before,
    to: write.after,
    bare: isBare(live),
  });
}
