import type { ApplyInput, ApplyResult } from '../../src/domain/lifecycle/contract.ts';
import { parseToken } from '../../src/domain/lifecycle/plan.ts';
import { PolicyDetails } from '../../src/domain/policy/stages/details.ts';
import { readSelected } from '../../src/reading/policy/workload.ts';
import { inForce, readWorld } from '../../src/reading/policy/world.ts';
import { applyStage } from '../writes/apply.ts';
import { tokenIn } from '../writes/guarded-patch.ts';
import type { PlanDeps } from './deps.ts';
import { type Holders, underWay } from './overlap.ts';

type Deps = Pick<PlanDeps, 'cluster' | 'now' | 'log'> & { readonly audit: Holders };

/**
 * Writes a stage. After a claim it looks once more whether another operation is under way on the same pods: two that were planned at the same moment
 * have seen nothing of each other, and pods may have come to be selected by both since. Whoever claims last sees the other's claim, before
 * anything takes effect.
 */
export async function applyAlone(deps: Deps, input: ApplyInput, signal: AbortSignal): Promise<ApplyResult> {
  const result = await applyStage(deps, input, signal);
  const { stage, details, opId, target } = input;
  if (result.kind !== 'applied' || stage.number > 0 || !details) return result;
  const world = await readWorld(deps.cluster, target.namespace, signal);
  // Who labels pods has a policy of its own: without one the pods, which may be thousands, need no look.
  const others = world.documents.filter((one) => (parseToken(tokenIn(one) ?? '')?.opId ?? opId) !== opId);
  if (others.length === 0) return result;
  const [candidate] = inForce([PolicyDetails.parse(details).candidate], world.compile);
  if (!candidate) return result;
  const of = { namespace: target.namespace, target: undefined, clusterName: world.compile.clusterName };
  const { selected } = await readSelected(deps.cluster, of, candidate, signal);
  const found = await underWay(deps.audit, world, selected, opId);
  return found ? { kind: 'held', object: found.object, token: found.holder } : result;
}
