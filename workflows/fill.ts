import { isCancellation, log, patched } from '@temporalio/workflow';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import { objectKey, type Plan, type PlannedStage, type Write } from '../src/domain/lifecycle/plan.ts';
import { apply } from './apply.ts';
import type { Course } from './course.ts';
import { quick } from './steps.ts';

/** A stage that labels pods, and its plan, with the pods that are there when it is written. */
export async function filled(
  course: Course,
  plan: Plan,
  planned: PlannedStage,
  stage: PlannedStage,
): Promise<{ readonly plan: Plan; readonly stage: PlannedStage }> {
  const labels = stage.writes.some(({ object }) => object.kind === 'Pod');
  if (!labels || !patched('fill')) return { plan, stage };
  const { opId, written } = course;
  try {
    const { stage: fresh, originals } = await quick.fill({ opId, plan, stage, planned: planned.number, written });
    return { plan: { ...plan, originals: [...plan.originals, ...originals] }, stage: fresh };
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The pods of the plan will do: those that are gone are passed over, and the judge says so if nobody is left.
    log.warn('the pods of a stage could not be looked at again', { opId, error: String(error) });
    return { plan, stage };
  }
}

/**
 * The same for a stage that is in force and is watched on: pods that take the place of those that are gone get its label, and only they are
 * written. Without them a watch of a cohort that was replaced would prove no more than the one before it.
 */
export async function refilled(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  planned: PlannedStage,
  stage: PlannedStage,
): Promise<{ readonly ending: Ending } | { readonly stage: PlannedStage }> {
  if (!stage.writes.some(isJoining) || !patched('fill-at-extend')) return { stage };
  const known = new Set(stage.writes.map(({ uid }) => uid));
  const now = await filled(course, plan, planned, stage);
  const joining = now.stage.writes.filter((write) => isJoining(write) && !known.has(write.uid));
  if (joining.length === 0) return { stage };
  const refused = await apply(course, request, now.plan, { ...stage, writes: joining });
  if (refused) return { ending: refused };
  // A pod that came back under its name has a write of its own now.
  const names = new Set(joining.map(({ object }) => objectKey(object)));
  const whole = { ...stage, writes: [...stage.writes.filter(({ object }) => !names.has(objectKey(object))), ...joining] };
  course.exposed = whole;
  return { stage: whole };
}

/** Gives a label to a pod. */
function isJoining({ object, after }: Write): boolean {
  return object.kind === 'Pod' && Object.values(after).some((value) => value !== null);
}
