import { CancellationScope, sleep } from '@temporalio/workflow';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import type { PlannedStage } from '../src/domain/lifecycle/plan.ts';
import type { Course } from './course.ts';
import { watch } from './guard.ts';
import { harm } from './guards.ts';
import { quiet } from './quiet.ts';

/** How operations were guarded that began before guards met drift; they go on as they began. */

const BLIND_PAUSE_MS = 15_000;
const GUARD_WATCH_MS = 15 * 60_000;

/** Does `work` while what is exposed stays watched. Ends with the work's value, or with the ending that harm brings. */
export async function guardedBefore<T>(
  course: Course,
  work: () => Promise<T>,
  options: { readonly drifted?: boolean } = {},
): Promise<{ done: T } | { ending: Ending }> {
  const stage = course.exposed;
  if (!stage || stage.soakMs === 0 || !course.plan) return { done: await work() };
  const guardScope = new CancellationScope();
  const workScope = new CancellationScope();
  const guarding = guardScope.run(() => untilHarm(course, stage, options)).then((ending) => ({ ending }));
  const working = workScope.run(work).then((done) => ({ done }));
  let late: { ending: Ending } | undefined;
  let first: { done: T } | { ending: Ending };
  try {
    first = await Promise.race([working, guarding]);
  } finally {
    guardScope.cancel();
    workScope.cancel();
    [late] = await Promise.all([quiet(guarding), quiet(working)]);
  }
  // A watch that was cancelled may have fired before it heard of it: then everything is put back already.
  return late ?? first;
}

async function untilHarm(course: Course, stage: PlannedStage, options: { readonly drifted?: boolean }): Promise<Ending> {
  for (;;) {
    const { verdict } = await watch(course, 'after', stage, GUARD_WATCH_MS, options);
    if (verdict.kind === 'harmful') return harm(verdict);
    if (verdict.kind !== 'healthy') await sleep(BLIND_PAUSE_MS);
  }
}
