import type { Verdict } from '../src/domain/judge/verdict.ts';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/lifecycle/plan.ts';
import { apply } from './apply.ts';
import type { Course } from './course.ts';
import { watch } from './guard.ts';

/**
 * A plan that raises nobody's exposure. It is written and looked at, with no fuse behind it, and nothing ends it in the other direction:
 * whatever goes wrong, what it has taken away stays away.
 */
export async function lower(course: Course, request: OperationRequest, plan: Plan): Promise<Ending> {
  course.keeps = true;
  let seen: Verdict | undefined;
  let unconfirmed: string | undefined;
  for (const stage of plan.stages) {
    const refused = await apply(course, request, plan, stage);
    if (refused && !(refused.code === 'NotRealised' && course.exposed?.number === stage.number)) return refused;
    unconfirmed = refused?.words ?? unconfirmed;
    seen = (await look(course, request, stage)) ?? seen;
  }
  return { kind: 'completed', code: 'Completed', ...(seen && { verdict: seen }), ...(unconfirmed !== undefined && { unconfirmed }) };
}

/** Is the service well with less? What is seen is said, and ends nothing. */
async function look(course: Course, request: OperationRequest, stage: PlannedStage): Promise<Verdict | undefined> {
  const soakMs = stage.soakMs ?? request.settings.soakMs;
  if (soakMs === 0) {
    course.showStage(stage.number, { state: 'passed', endedAt: Date.now() });
    return undefined;
  }
  course.showStage(stage.number, { state: 'watching' }, { phase: 'watching', watchUntil: Date.now() + soakMs });
  const { verdict, counts } = await watch(course, 'restored', stage, soakMs);
  course.showStage(stage.number, { state: verdict.kind === 'harmful' ? 'harmful' : 'passed', endedAt: Date.now(), counts }, { verdict });
  return verdict;
}
