import { planBack } from '../../src/domain/canary/back.ts';
import { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Route } from '../clients/kubernetes/objects.ts';
import type { PlanInput, PlanResult } from '../contract.ts';
import { checkPlanned, type PlanDeps, planOf } from './plan-checks.ts';

/** Back to what was before the last completed operation: one stage, only where its values still stand. */
export async function planRollback(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const { target } = input.request;
  const completed = await deps.audit.lastCompleted(target);
  const read = (completed?.originals ?? []).map(({ object }) => deps.cluster.read<Route>(object, { signal }));
  const live = (await Promise.all(read)).filter((route) => route !== undefined);
  const planned = planBack({ completed, live, service: target, firstStage: input.firstStage });
  if (planned.kind === 'impossible') return planned;
  // The way back is taken although the route is not accepted now or the canary is not ready: that may be why it is wanted.
  const checked = await checkPlanned(
    deps,
    input,
    live,
    planned.stages,
    { details: CanaryDetails.parse(planned.details), needsHealth: false },
    signal,
  );
  return 'unseen' in checked ? planOf(input, planned, live, checked) : checked;
}
