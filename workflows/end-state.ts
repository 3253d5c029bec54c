import { isCancellation, log, patched } from '@temporalio/workflow';
import type { Undone } from '../src/domain/lifecycle/outcome.ts';
import type { Course } from './course.ts';
import { look } from './steps.ts';

/** What the mesh is now that the operation is over, in words, as it was read back; undefined where the outcome's own words say all there is. */
export async function endState(course: Course, undone: Undone | undefined): Promise<string | undefined> {
  if (undone?.kind === 'restored') return undone.exact && course.before !== undefined ? `${course.before}, exactly as before` : undefined;
  if (!course.exposed || !course.plan || (undone && undone.kind !== 'kept') || !patched('read-back')) return undefined;
  try {
    const { opId, exposed, written, made } = course;
    const { differences } = await look.inspect({ opId, stage: exposed, written, made });
    const found = differences.map(({ object, field, expected, found: value }) => `${object} ${field} is ${value}, not ${expected}`);
    if (found.length > 0) return `not what was written: ${found.slice(0, MOST_TOLD).join('; ')}`;
    // What people adopted is in the label of the stage; the plan's words are from before.
    return exposed.label.endsWith('(adopted)') ? exposed.label : course.plan.to;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the end could not be read back', { opId: course.opId, error: String(error) });
    return 'not known, since the cluster did not answer';
  }
}

const MOST_TOLD = 3;
