import { isCancellation, patched, sleep } from '@temporalio/workflow';
import type { Freeze } from '../src/domain/lifecycle/freeze.ts';
import { type OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/lifecycle/plan.ts';
import { isWayBack } from '../src/domain/verb.ts';
import { sentence } from '../src/domain/words/sentences.ts';
import type { Course } from './course.ts';
import { attentive, quick, shared } from './steps.ts';

/** How often a freeze is looked at where the request does not say. Longer each time, so that a long freeze does not fill the history. */
const USUAL_LOOK_MS = 10_000;
const LONGEST_LOOK_MS = 10 * 60_000;
/** What waits longer than this behind a freeze is not what people approved any more. */
const MOST_MS = 24 * 3_600_000;
/** A freeze that is set and lifted without end must not fill the history. */
const MOST_CHANGES = 200;
const TOO_LONG = 'The freeze lasted for more than a day, which was too long to wait.';

/**
 * Is a freeze asked about at all? A way back is never frozen, unless its plan raises somebody's exposure; an operation that began before
 * there were freezes goes on as it began.
 */
export function heedsFreezes(request: OperationRequest, plan?: Plan): boolean {
  if (request.emergency?.passesFreezes) return false;
  if (plan?.back && !plan.lowers) return true;
  return !isWayBack(request) && patched('freezes');
}

/** The freeze that forbids this request, as the ending of a plan. */
export async function refuseFrozen(request: OperationRequest): Promise<Ending | undefined> {
  const freeze = await shared.frozen({ target: request.target });
  return freeze ? { kind: 'impossible', code: 'Frozen', words: sentence('Frozen', frozenParameters(freeze)) } : undefined;
}

/** Surely no freeze now. False also when nobody could say in a moment: then it is asked again while what is in force is watched. */
export async function isFree({ target }: OperationRequest): Promise<boolean> {
  try {
    return (await quick.frozen({ target })) === null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}

/**
 * Waits before a next write while a freeze covers the target; what is in force stays and stays guarded (by the caller). Looked at by one
 * activity, however long it lasts.
 */
export async function whileFrozen(course: Course, stage: PlannedStage): Promise<Ending | undefined> {
  const { target, settings } = course.request;
  const end = Date.now() + MOST_MS;
  const everyMs = settings.freezeLookMs ?? USUAL_LOOK_MS;
  let freeze = await shared.frozen({ target });
  try {
    for (let changes = 0; freeze && changes < MOST_CHANGES; changes += 1) {
      if (changes === 0) course.say({ kind: 'frozen', freeze, stage: stage.label });
      course.show({ phase: 'holding', frozen: freeze });
      const forMs = end - Date.now();
      if (forMs <= 0) break;
      const known = { freeze, approvers: [] };
      ({ freeze } = await attentive(forMs).attend({ target, request: course.request, ...known, heeds: true, everyMs, forMs }));
    }
  } finally {
    course.forget('frozen');
  }
  return freeze ? { kind: 'expired', code: 'Frozen', words: TOO_LONG } : undefined;
}

/** Waits before a next stage while a freeze covers the target; what is in force stays and stays watched (by the caller). */
export async function untilThawed(course: Course, stage: PlannedStage): Promise<Ending | undefined> {
  const since = Date.now();
  for (let pause = course.request.settings.freezeLookMs ?? USUAL_LOOK_MS; ; pause = Math.min(pause * 2, LONGEST_LOOK_MS)) {
    const freeze = await shared.frozen({ target: course.request.target });
    if (!freeze) {
      course.forget('frozen');
      return undefined;
    }
    if (!course.view.frozen) course.say({ kind: 'frozen', freeze, stage: stage.label });
    course.show({ phase: 'holding', frozen: freeze });
    const left = MOST_MS - (Date.now() - since);
    if (left <= 0) return { kind: 'expired', code: 'Frozen', words: TOO_LONG };
    await sleep(Math.max(1_000, Math.min(pause, left, freeze.until - Date.now())));
  }
}

function frozenParameters({ scope, until, reason, by }: Freeze): { scope: string; until: string; reason: string; by: string } {
  return {
    scope: scope === '*' ? 'Everything' : scope,
    until: `${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    reason,
    by: by.name,
  };
}
