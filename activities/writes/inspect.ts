import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { isFailure } from '../../src/clients/kubernetes/failure.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { Json } from '../../src/domain/json.ts';
import type { FoundObject, Inspection, Shared } from '../../src/domain/lifecycle/contract.ts';
import type { Difference } from '../../src/domain/lifecycle/contract-undo.ts';
import { objectKey, parseToken, tokenOf } from '../../src/domain/lifecycle/plan.ts';
import { valueAt } from '../../src/domain/lifecycle/pointer.ts';
import type { AuditLog } from '../../src/ports.ts';
import { difference, differences, gone } from './differences.ts';
import { guardedPatch, isBare, TOKEN_POINTER, tokenIn } from './guarded-patch.ts';
import { isHeld } from './held.ts';
import { comesAndGoes, type LastWrite, lastWrites } from './written.ts';

type Input = Parameters<Shared['inspect']>[0];

/**
 * What is live where a stage should stand: every difference with who wrote it, the values and tokens as they are, and whether the
 * stage's values could be written over them (tried as a dry run).
 */
export async function inspect(
  deps: { readonly cluster: Cluster; readonly audit: Pick<AuditLog, 'holds'> },
  input: Input,
  signal: AbortSignal,
): Promise<Inspection> {
  const found: Record<string, FoundObject> = {};
  const different: Difference[] = [];
  let stuck: string | undefined;
  for (const write of lastWrites(input.written, input.stage.number).values()) {
    const object = await deps.cluster.read(write.object, { signal });
    // The plan knows no uid of an object of our own making; the write that made it does.
    const uid = write.uid || (input.made?.[objectKey(write.object)] ?? '');
    const isGone = !object || (comesAndGoes(write.object) && object.metadata.uid !== uid);
    if (isGone && (write.isDeleted || comesAndGoes(write.object))) continue;
    if (!object || write.isDeleted || (uid !== '' && object.metadata.uid !== uid)) {
      different.push(gone(write.object, write.isDeleted ? '' : uid, object));
      stuck ??= `${objectKey(write.object)} was deleted, replaced or made again`;
      continue;
    }
    const token = tokenIn(object);
    different.push(...differences(object, write.object, write.fields), ...tokenDifference(input, write, token));
    const fields = Object.fromEntries(Object.keys(write.fields).map((field): [string, Json] => [field, valueAt(object, field)]));
    const { fields: expected } = write;
    found[objectKey(write.object)] = { object: write.object, uid, expected, fields, token, generation: object.metadata.generation ?? 0 };
    stuck ??= (await otherHolder(deps, input.opId, write, token)) ?? (await refusal(deps.cluster, write, object, fields, signal));
  }
  return { differences: different, found, ...(stuck !== undefined && { stuck }) };
}

function tokenDifference(input: Input, write: LastWrite, token: string | null): readonly Difference[] {
  const expected = tokenOf(input.opId, write.stage);
  return token === expected ? [] : [difference(write.object, TOKEN_POINTER, expected, token)];
}

async function otherHolder(
  deps: { readonly audit: Pick<AuditLog, 'holds'> },
  opId: string,
  write: LastWrite,
  token: string | null,
): Promise<string | undefined> {
  if (token === null || parseToken(token)?.opId === opId || !(await isHeld(deps, token))) return undefined;
  return `${objectKey(write.object)} is held by operation ${token}`;
}

async function refusal(
  cluster: Cluster,
  write: LastWrite,
  object: KubeObject,
  from: Readonly<Record<string, Json>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const token = { from: tokenIn(object), to: tokenIn(object) };
  try {
    const patch = guardedPatch({ uid: object.metadata.uid, token, from, to: write.fields, bare: isBare(object) });
    await cluster.patch(write.object, patch, { signal, dryRun: true });
    return undefined;
  } catch (error) {
    if (!isFailure(error, 'Conflict', 'Invalid', 'NotFound', 'BadRequest')) throw error;
    return `the cluster would not take our values back (${error.message})`;
  }
}
