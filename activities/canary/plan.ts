import { CanaryDetails } from '../../src/domain/canary/details.ts';
import { planCanary } from '../../src/domain/canary/plan.ts';
import { type HttpRoute, parseRoute } from '../../src/domain/canary/route.ts';
import { objectKey, type PlannedStage } from '../../src/domain/plan.ts';
import type { Route } from '../clients/kubernetes/objects.ts';
import type { PlanInput, PlanResult } from '../contract.ts';
import { planHeader } from './ab.ts';
import { checkPlanned, gainsOf, type PlanDeps, planOf } from './plan-checks.ts';
import { byKey, impossible } from './preconditions.ts';
import { planRollback } from './rollback.ts';
import { listRoutes } from './routes.ts';
import { unclearPlan } from './unclear.ts';

type Shift = Extract<PlanInput['request']['change'], { kind: 'shift' }>;

/** Plans a shift, or the way back, from live objects. Writes nothing: every write is tried as a dry run under the requester. */
export async function planChange(deps: PlanDeps, input: PlanInput, signal: AbortSignal): Promise<PlanResult> {
  const { change } = input.request;
  if (change.kind === 'shift') return planShift(deps, input, change, signal);
  if (change.kind === 'ab') return planHeader(deps, input, change, signal);
  if (change.kind === 'back') return planRollback(deps, input, change.of, signal);
  throw new Error(`a canary cannot ${change.kind}`);
}

async function planShift(deps: PlanDeps, input: PlanInput, change: Shift, signal: AbortSignal): Promise<PlanResult> {
  const { firstStage, request } = input;
  const { target: service, settings } = request;
  const live = await listRoutes(deps, signal);
  const routes = live.map((route) => parseRoute(route)).filter((route): route is HttpRoute => route !== undefined);
  const last = input.originals === undefined ? await deps.audit.lastCompleted(service, 'canary') : undefined;
  // A button of an operation holds until another one has completed; a running one takes its own step.
  if (change.of !== undefined && change.of !== (last?.opId ?? input.opId)) {
    return impossible('NotTheLast', { opId: change.of, last: last?.opId ?? input.opId });
  }
  const originals = input.originals ?? last?.originals;
  const planned = planCanary({ routes, service, change, ladder: settings.ladder, firstStage, ...(originals && { originals }) });
  if (planned.kind === 'impossible') return planned;
  if (planned.kind === 'ambiguous') {
    return unclearPlan(planned, (name) => `canary ${service.namespace}/${name} ${change.percent}%`);
  }
  const touched = touchedBy(planned.stages, live);
  const details = CanaryDetails.parse(planned.details);
  const checked = await checkPlanned(
    deps,
    input,
    touched,
    planned.stages,
    { details, needsHealth: true, gains: gainsOf(planned), isBack: planned.lowers === true },
    signal,
  );
  return 'unseen' in checked ? planOf(input, planned, touched, checked) : checked;
}

function touchedBy(stages: readonly PlannedStage[], live: readonly Route[]): readonly Route[] {
  const known = byKey(live);
  return (stages[0]?.writes ?? []).flatMap(({ object }) => known.get(objectKey(object)) ?? []);
}
