import type { Route } from '../../src/clients/kubernetes/objects.ts';
import { planBack } from '../../src/domain/canary/back.ts';
import { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { lateWords } from '../../src/domain/lifecycle/way-back.ts';
import { checkPlanned, gainsOf, type PlanDeps, planOf } from './plan-checks.ts';

/** Back to what was before the last completed operation, only where its values still stand. `of`: the operation that is meant. */
export async function planRollback(deps: PlanDeps, input: PlanInput, of: string | undefined, signal: AbortSignal): Promise<PlanResult> {
  const { target, settings } = input.request;
  const completed = await deps.audit.lastCompleted(target, 'canary');
  const read = (completed?.originals ?? []).map(({ object }) => deps.cluster.read<Route>(object, { signal }));
  const live = (await Promise.all(read)).filter((route) => route !== undefined);
  const { firstStage } = input;
  const planned = planBack({ completed, live, service: target, ladder: settings.ladder, firstStage, ...(of !== undefined && { of }) });
  if (planned.kind === 'impossible') return planned;
  // What lowers the canary is written although the route is not accepted now or the canary is not ready: that may be why it is wanted.
  const checked = await checkPlanned(
    deps,
    input,
    live,
    planned.stages,
    { details: CanaryDetails.parse(planned.details), needsHealth: planned.lowers !== true, gains: gainsOf(planned), isBack: true },
    signal,
  );
  if (!('unseen' in checked)) return checked;
  const why = completed && planned.lowers ? lateWords(input.request, completed) : [];
  const told = { ...planned, explanation: [...why, ...planned.explanation] };
  return planOf(deps, input, told, { routes: live, isBack: true }, checked, signal);
}
