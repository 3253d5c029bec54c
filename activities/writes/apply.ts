import { setTimeout as sleep } from 'node:timers/promises';
import type { Write } from '../../src/domain/plan.ts';
import { objectKey, parseToken, tokenOf } from '../../src/domain/plan.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { ClusterFailure, isFailure } from '../clients/kubernetes/failure.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import type { ApplyInput, ApplyResult } from '../contract.ts';
import type { Log } from '../log.ts';
import type { AuditLog } from '../ports.ts';
import { difference, differences, gone } from './differences.ts';
import { guardedPatch, isBare, TOKEN_POINTER, tokenIn } from './guarded-patch.ts';

export interface WriteDeps {
  readonly cluster: Cluster;
  readonly audit: Pick<AuditLog, 'isOver'>;
  readonly now: () => number;
  readonly log: Log;
}

type Refused = Exclude<ApplyResult, { kind: 'applied' }>;
type Look = { readonly kind: 'done'; readonly object: KubeObject } | { readonly kind: 'free'; readonly object: KubeObject } | Refused;

/** Writes made between our read and our patch are met by reading again; this often, then Temporal's retry takes over. */
const TRIES = 6;

/**
 * Writes one stage, object after object, each guarded by the values and the token that must be there. What this stage has
 * written already is recognised, so an attempt may be repeated. Throws ClusterFailure when the API did not answer.
 */
export async function applyStage(deps: WriteDeps, input: ApplyInput, signal: AbortSignal): Promise<ApplyResult> {
  const generations: Record<string, number> = {};
  let firstAt: number | undefined;
  let at = deps.now();
  for (const write of input.stage.writes) {
    const outcome = await applyWrite(deps, input, write, signal);
    if (outcome.kind !== 'done') return outcome;
    at = deps.now();
    firstAt ??= at;
    generations[objectKey(write.object)] = outcome.object.metadata.generation ?? 0;
  }
  return { kind: 'applied', generations, mixedMs: at - (firstAt ?? at), at };
}

async function applyWrite(
  deps: WriteDeps,
  input: ApplyInput,
  write: Write,
  signal: AbortSignal,
): Promise<Refused | (Look & { kind: 'done' })> {
  let last: ClusterFailure | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const look = await lookAt(deps, input, write, signal);
    if (look.kind !== 'free') return look;
    try {
      const object = await deps.cluster.patch(write.object, patchOf(input, write, look.object), { signal, as: input.as });
      deps.log.info({ opId: input.opId, stage: input.stage.number, object: objectKey(write.object) }, 'stage written');
      return { kind: 'done', object };
    } catch (error) {
      if (isFailure(error, 'Forbidden')) return { kind: 'forbidden', words: error.message };
      // A failed test and an object that breaks its schema are both 422: reading again tells them apart.
      if (!isFailure(error, 'Conflict', 'Invalid', 'NotFound')) throw error;
      if (error.reason === 'Invalid' && error.fields.length > 0) throw error;
      last = error;
      await sleep(5 * attempt * attempt, undefined, { signal });
    }
  }
  throw last ?? new ClusterFailure('Conflict', `${objectKey(write.object)} changed too often to be written`);
}

/** Reads the object and says whether the write is free to go, done already, or refused. */
async function lookAt(deps: WriteDeps, input: ApplyInput, write: Write, signal: AbortSignal): Promise<Look> {
  const object = await deps.cluster.read(write.object, { signal });
  if (object?.metadata.uid !== write.uid) return { kind: 'drift', differences: [gone(write.object, write.uid, object)] };
  const token = tokenIn(object);
  const own = tokenOf(input.opId, input.stage.number);
  if (token === own && differences(object, write.object, write.after).length === 0) return { kind: 'done', object };
  const expected = input.tokenBefore[objectKey(write.object)] ?? null;
  if (!(await mayTake(deps, token, expected, input.opId))) {
    if (token !== null) return { kind: 'held', object: write.object, token };
    return { kind: 'drift', differences: [difference(write.object, TOKEN_POINTER, expected, null)] };
  }
  const found = [...differences(object, write.object, write.before)];
  if (found.length === 0 && !isOwn(expected, input) && object.metadata.generation !== write.generation) {
    found.push(difference(write.object, '/metadata/generation', write.generation, object.metadata.generation ?? null));
  }
  return found.length > 0 ? { kind: 'drift', differences: found } : { kind: 'free', object };
}

/** The token expected is there; or none was expected and the one there belongs to an operation that is over. */
async function mayTake(deps: WriteDeps, token: string | null, expected: string | null, opId: string): Promise<boolean> {
  if (token === expected) return true;
  if (expected !== null || token === null) return false;
  const holder = parseToken(token);
  // Our own token of another stage means that this attempt is late, whatever the audit says.
  return holder !== undefined && holder.opId !== opId && deps.audit.isOver(holder.opId);
}

/**
 * Later stages are fenced by their predecessor's token. The first has none of this operation, and an undo puts back what was
 * there: only the generation tells a late attempt that the object has been written and put back since.
 */
function isOwn(token: string | null, input: ApplyInput): boolean {
  return token !== null && parseToken(token)?.opId === input.opId;
}

function patchOf(input: ApplyInput, write: Write, live: KubeObject) {
  const expected = input.tokenBefore[objectKey(write.object)] ?? null;
  return guardedPatch({
    uid: write.uid,
    ...(!isOwn(expected, input) && { generation: write.generation }),
    token: { from: tokenIn(live), to: tokenOf(input.opId, input.stage.number) },
    from: write.before,
    to: write.after,
    bare: isBare(live),
  });
}
