import { isCancellation, log, patched } from '@temporalio/workflow';
import type { Plan, PlannedStage } from '../src/domain/plan.ts';
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
