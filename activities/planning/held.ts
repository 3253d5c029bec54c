import { type Metadata, refOf } from '../../src/clients/kubernetes/objects.ts';
import type { Named } from '../../src/clients/kubernetes/parts.ts';
import type { PlanInput } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, type PlannedStage, parseToken } from '../../src/domain/lifecycle/plan.ts';
import { recordOf } from '../../src/domain/verb.ts';
import type { AuditLog } from '../../src/ports.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import { type Impossible, impossible, refused } from './impossible.ts';

/** An object of the plan that another operation holds; or that this one holds already, where its verb cannot plan anew from the middle. */
export async function checkHeld(
  { audit }: { readonly audit: Pick<AuditLog, 'holds'> },
  objects: readonly (Named & { readonly metadata: Pick<Metadata, 'annotations'> })[],
  stages: readonly PlannedStage[],
  { opId, request }: Pick<PlanInput, 'opId' | 'request'>,
): Promise<Impossible | undefined> {
  const touched = new Set(stages.flatMap(({ writes }) => writes.map(({ object }) => objectKey(object))));
  for (const object of objects) {
    const ref = refOf(object);
    const token = tokenIn(object);
    const holder = token === null || !touched.has(objectKey(ref)) ? undefined : parseToken(token)?.opId;
    if (holder === opId && recordOf(request.verb).adoptsInPlace) {
      const words = 'The rollout had begun when someone else changed its objects: what they changed cannot be taken into it.';
      return impossible('Drift', `${words} Everything is rolled back; run the command again.`);
    }
    if (holder === undefined || holder === opId || !(await audit.holds(holder))) continue;
    return refused('Held', { object: `${ref.kind} ${ref.namespace}/${ref.name}`, opId: holder });
  }
  return undefined;
}
