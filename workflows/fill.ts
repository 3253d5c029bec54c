import { isCancellation, log, patched } from '@temporalio/workflow';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import { type Original, objectKey, type Plan, type PlannedStage, type Write } from '../src/domain/lifecycle/plan.ts';
import { apply } from './apply.ts';
import type { Course } from './course.ts';
import { heedsFreezes, isFree } from './freeze.ts';
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
    remember(course, plan, fresh, originals);
    succeed(course, originals);
    const anew = new Set(originals.map(({ object }) => objectKey(object)));
    const others = plan.originals.filter(({ object }) => !anew.has(objectKey(object)));
    return { plan: { ...plan, originals: [...others, ...originals] }, stage: fresh };
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The pods of the plan will do: those that are gone are passed over, and the judge says so if nobody is left.
    log.warn('the pods of a stage could not be looked at again', { opId, error: String(error) });
    return { plan, stage };
  }
}

/** What a stage writes that its plan does not name goes to the record ahead of the write, which does not wait for it: of a run that is lost, the record puts it back. */
function remember(course: Course, plan: Plan, stage: PlannedStage, originals: readonly Original[]): void {
  const idOf = ({ object, uid }: Original): string => `${objectKey(object)} ${uid}`;
  const known = new Set([...plan.originals, ...course.originals].map(idOf));
  const joined = originals.filter((original) => !known.has(idOf(original)));
  if (joined.length === 0 || !patched('joined-on-record')) return;
  course.record('write', { stage: stage.number, result: 'joined', writes: stage.writes as never, originals: joined as never });
}

/**
 * A pod that came back under its name (a StatefulSet makes it so) takes the place of the one that is gone: what is put back is its own, and it has no
 * token yet.
 */
function succeed(course: Course, originals: readonly Original[]): void {
  const uids = new Map(originals.map(({ object, uid }) => [objectKey(object), uid]));
  const isGone = ({ object, uid }: Original): boolean => (uids.get(objectKey(object)) ?? uid) !== uid;
  if (!course.originals.some(isGone) || !patched('successors')) return;
  for (const { object } of course.originals.filter(isGone)) delete course.tokens[objectKey(object)];
  course.originals = course.originals.filter((original) => !isGone(original));
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

/** A workload whose pods never stay is for people to look at. */
const MOST_REFILLS = 3;

/**
 * The pods that took the place of those that a stage had labelled, where its watch has proved nothing: what people approved is how many go first, so
 * they join without being asked about, and the stage is watched anew. Undefined: nobody is missing, or a freeze or too many of them before stand
 * against it, and people decide.
 */
export async function rejoined(
  course: Course,
  request: OperationRequest,
  {
    plan,
    planned,
    stage,
    before,
  }: { readonly plan: Plan; readonly planned: PlannedStage; readonly stage: PlannedStage; readonly before: number },
): Promise<{ readonly ending: Ending } | { readonly stage: PlannedStage } | undefined> {
  if (before >= MOST_REFILLS || !stage.writes.some(isJoining) || !patched('fill-by-itself')) return undefined;
  if (heedsFreezes(request, plan) && !(await isFree(request))) return undefined;
  const more = await refilled(course, request, plan, planned, stage);
  return 'ending' in more || more.stage !== stage ? more : undefined;
}

/** Gives a label to a pod. */
function isJoining({ object, after }: Write): boolean {
  return object.kind === 'Pod' && Object.values(after).some((value) => value !== null);
}
