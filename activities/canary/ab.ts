import { planAb } from '../../src/domain/canary/ab.ts';
import type { CanaryChange } from '../../src/domain/canary/change.ts';
import { CanaryDetails } from '../../src/domain/canary/details.ts';
import { type HttpRoute, parseRoute } from '../../src/domain/canary/route.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlanInput, PlanResult } from '../../src/domain/lifecycle/contract.ts';
import { objectKey } from '../../src/domain/lifecycle/plan.ts';
import { listRoutes } from '../../src/reading/routes/routes.ts';
import { checkPlanned, type PlanDeps, planOf } from './plan-checks.ts';
import { byKey } from './preconditions.ts';
import { unclearPlan } from './unclear.ts';

type Ab = Extract<CanaryChange, { kind: 'ab' }>;

/** Plans header A/B from live routes: on, with everything that a share of traffic needs; off like any way back. */
export async function planHeader(deps: PlanDeps, input: PlanInput, { header, explicit }: Ab, signal: AbortSignal): Promise<PlanResult> {
  const live = await listRoutes(deps, signal);
  const routes = new Map<HttpRoute, readonly JsonObject[]>();
  for (const route of live) {
    const parsed = parseRoute(route);
    if (parsed) routes.set(parsed, ((route as { spec?: { rules?: readonly JsonObject[] } }).spec?.rules ?? []) as readonly JsonObject[]);
  }
  const { target: service } = input.request;
  const rulesOf = (route: HttpRoute): readonly JsonObject[] => routes.get(route) ?? [];
  const planned = planAb({
    routes: [...routes.keys()],
    rulesOf,
    service,
    header,
    explicit: explicit === true,
    firstStage: input.firstStage,
  });
  if (planned.kind === 'ambiguous') {
    const setting = header ? `${header.name}=${header.value}` : 'off';
    return unclearPlan(planned, (name) => `ab ${service.namespace}/${name} ${setting}`);
  }
  if (planned.kind !== 'planned') return { kind: 'impossible', code: planned.code, words: planned.words };
  const known = byKey(live);
  const touched = (planned.stages[0]?.writes ?? []).flatMap(({ object }) => known.get(objectKey(object)) ?? []);
  const details = CanaryDetails.parse(planned.details);
  const isBack = header === undefined;
  const checked = await checkPlanned(deps, input, touched, planned.stages, { details, needsHealth: header !== undefined, isBack }, signal);
  return 'unseen' in checked ? planOf(deps, input, planned, { routes: touched, isBack }, checked, signal) : checked;
}
