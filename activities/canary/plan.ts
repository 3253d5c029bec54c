import type { Route } from '../../src/clients/kubernetes/objects.ts';
import type { CanaryChange } from '../../src/domain/canary/change.ts';
import { CanaryDetails } from '../../src/domain/canary/details.ts';
import { planCanary } from '../../src/domain/canary/plan.ts';
import { type HttpRoute, parseRoute } from '../../src/domain/canary/route.ts';
import type { Change } from '../../src/domain/lifecycle/change.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { objectKey, type PlannedStage } from '../../src/domain/lifecycle/plan.ts';
import { listRoutes } from '../../src/reading/routes/routes.ts';
import { refused } from '../planning/impossible.ts';
import { planHeader } from './ab.ts';
import { checkPlanned, gainsOf, type PlanDeps, planOf } from './plan-checks.ts';
import { byKey } from './preconditions.ts';
import { planRollback } from './rollback.ts';
import { unclearPlan } from './unclear.ts';

type Shift = Extract<CanaryChange, { kind: 'shift' }>;

/** Plans a shift, or the way back, from live objects. Writes nothing: every write is tried as a dry run under the requester. */
export async function planChange(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const change = input.request.change as CanaryChange;
  if (change.kind === 'shift') return planShift(deps, input, change, signal);
  if (change.kind === 'ab') return planHeader(deps, input, change, signal);
  if (change.kind === 'back') return planRollback(deps, input, change.of, signal);
  throw new Error(`a canary cannot ${(change satisfies never as Change).kind}`);
}

async function planShift(deps: PlanDeps, input: PlanInput, change: Shift, signal: AbortSignal): Promise<PlanResult> {
  const { firstStage, request } = input;
  const { target: service, settings } = request;
  const live = await listRoutes(deps, signal);
  const routes = live.map((route) => parseRoute(route)).filter((route): route is HttpRoute => route !== undefined);
  const last = input.originals === undefined ? await deps.audit.lastCompleted(service, 'canary') : undefined;
  // A button of an operation holds until another one has completed; a running one takes its own step.
  if (change.of !== undefined && change.of !== (last?.opId ?? input.opId)) {
    return refused('NotTheLast', { opId: change.of, last: last?.opId ?? input.opId });
  }
  const originals = input.originals ?? last?.originals;
  const planned = planCanary({ routes, service, change, ladder: settings.ladder, firstStage, ...(originals && { originals }) });
  if (planned.kind === 'impossible') return planned;
  if (planned.kind === 'ambiguous') {
    return unclearPlan(planned, (name) => `canary ${service.namespace}/${name} ${change.percent}%`);
  }
  const touched = touchedBy(planned.stages, live);
  const details = CanaryDetails.parse(planned.details);
  const isBack = planned.lowers === true;
  const checked = await checkPlanned(
    deps,
    input,
    touched,
    planned.stages,
    { details, needsHealth: true, gains: gainsOf(planned), isBack },
    signal,
  );
  return 'unseen' in checked ? planOf(deps, input, planned, { routes: touched, isBack }, checked, signal) : checked;
}

function touchedBy(stages: readonly PlannedStage[], live: readonly Route[]): readonly Route[] {
  const known = byKey(live);
  return (stages[0]?.writes ?? []).flatMap(({ object }) => known.get(objectKey(object)) ?? []);
}
