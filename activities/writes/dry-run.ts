import type { OperationRequest } from '../../src/domain/operation.ts';
import { objectKey, type PlannedStage, tokenOf, type Write } from '../../src/domain/plan.ts';
import { sentence } from '../../src/domain/sentences.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { isFailure } from '../clients/kubernetes/failure.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import type { PlanResult } from '../contract.ts';
import { guardedPatch, isBare, tokenIn } from './guarded-patch.ts';

type Impossible = Extract<PlanResult, { kind: 'impossible' }>;

/**
 * Tries every stage's writes under the requester with `dryRun=All` and strict fields, so that admission and validation speak
 * before anybody is asked. Stage n is tried from what is live now. Undefined when all would be taken.
 */
export async function dryRunStages(
  cluster: Cluster,
  live: readonly KubeObject[],
  stages: readonly PlannedStage[],
  { requester }: OperationRequest,
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  const as = requester.kubernetes;
  const objects = new Map(live.map((object) => [object.metadata.uid, object]));
  const firsts = new Map((stages[0]?.writes ?? []).map((write) => [objectKey(write.object), write]));
  const tries = stages.flatMap((stage) => stage.writes.map((write) => ({ stage, write })));
  const results = await Promise.all(
    tries.map(async ({ stage, write }): Promise<Impossible | undefined> => {
      const object = objects.get(write.uid);
      const first = firsts.get(objectKey(write.object));
      if (!object || !first) return undefined;
      try {
        await cluster.patch(write.object, patchOf(object, first, write, stage), { signal, as, dryRun: true });
        return undefined;
      } catch (error) {
        if (!isFailure(error, 'Forbidden', 'Invalid', 'BadRequest', 'Conflict', 'NotFound')) throw error;
        return refused(error.reason, error.message, write, as?.user ?? 'meshops');
      }
    }),
  );
  return results.find((result) => result !== undefined);
}

function patchOf(object: KubeObject, first: Write, write: Write, stage: PlannedStage) {
  return guardedPatch({
    uid: write.uid,
    // The name of the operation does not matter to a dry run, only that a token of this length is taken.
    token: { from: tokenIn(object), to: tokenOf('dry-run', stage.number) },
    from: first.before,
    to: write.after,
    bare: isBare(object),
  });
}

function refused(reason: string, message: string, { object }: Write, who: string): Impossible {
  const name = `${object.kind} ${object.namespace}/${object.name}`;
  if (reason === 'Forbidden') {
    return { kind: 'impossible', code: 'Forbidden', words: sentence('Forbidden', { who, what: `patch ${name} (${message})` }) };
  }
  const words = `The cluster would not take the new ${name}: ${message}. Nothing was changed. Look at the object, then run the command again.`;
  return { kind: 'impossible', code: 'DryRunRefused', words };
}
