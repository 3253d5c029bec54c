import { CancellationScope, isCancellation, log, sleep } from '@temporalio/workflow';
import type { WatchInput, WatchResult } from '../activities/contract.ts';
import { alphaFor } from '../src/domain/judge/alpha.ts';
import type { Ending } from '../src/domain/outcome.ts';
import type { PlannedStage } from '../src/domain/plan.ts';
import type { Course } from './course.ts';
import { restoreRecord } from './records.ts';

/** Between two watches of a guard that could not see: long enough not to fill the history, short next to any gate. */
const BLIND_PAUSE_MS = 15_000;
const GUARD_WATCH_MS = 15 * 60_000;

export type GuardOptions = Pick<WatchInput, 'drifted'>;

/** One watch of one stage, with everything it needs to act alone: the judge's share of alpha, the fuse, the message. */
export async function watch(
  course: Course,
  purpose: WatchInput['purpose'],
  stage: PlannedStage,
  durationMs: number,
  options: GuardOptions = {},
): Promise<WatchResult> {
  const { plan, request } = course;
  if (!plan) throw new Error('watching without a plan');
  course.watches += 1;
  const result = await course.step(
    'watch',
    durationMs,
  )({
    opId: course.opId,
    target: plan.target,
    verb: plan.verb,
    purpose,
    stage,
    durationMs,
    ...options,
    plan,
    alpha: alphaFor(request.settings.alpha, course.watches),
    settings: request.settings,
    view: course.view,
    accepted: course.accepted,
    fuse: course.restoreInput({ stage: stage.number }),
  });
  course.series.push(...result.series);
  course.record('verdict', {
    stage: stage.number,
    purpose,
    kind: result.verdict.kind,
    words: result.verdict.words,
    counts: { ...result.counts } as never,
  });
  if (result.fuse) {
    course.record('restore', {
      fuse: true,
      startedAt: result.fuse.startedAt,
      endedAt: result.fuse.endedAt,
      ...restoreRecord(result.fuse.result),
    });
    if (result.verdict.kind === 'harmful') course.say({ kind: 'fuse', verdict: result.verdict, restore: result.fuse.result });
  }
  return result;
}

/** How a harmful verdict ends the operation. */
export function harm(verdict: WatchResult['verdict']): Ending {
  const code = verdict.kind === 'harmful' && verdict.judge === 'budget' ? 'Budget' : 'Harmful';
  return { kind: 'rolled-back', code, verdict };
}

/**
 * Does `work` (a gate, a plan) while whatever is exposed stays watched with its fuse. Ends with the work's value,
 * or with the ending that harm brings; the loser is cancelled and awaited.
 */
export async function guarded<T>(
  course: Course,
  work: () => Promise<T>,
  options: GuardOptions = {},
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

async function untilHarm(course: Course, stage: PlannedStage, options: GuardOptions): Promise<Ending> {
  for (;;) {
    const { verdict } = await watch(course, 'after', stage, GUARD_WATCH_MS, options);
    if (verdict.kind === 'harmful') return harm(verdict);
    if (verdict.kind !== 'healthy') await sleep(BLIND_PAUSE_MS);
  }
}

/** The value of what may have been cancelled; a failure is told by whoever waits for the work itself. */
async function quiet<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch((error: unknown) => {
    if (!isCancellation(error)) log.warn('what ran beside a guard failed', { error: String(error) });
    return undefined;
  });
}
