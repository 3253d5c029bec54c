import { CancellationScope, CancelledFailure, condition } from '@temporalio/workflow';
import type { Verdict } from '../src/domain/judge/verdict.ts';
import type { WatchInput, WatchResult } from '../src/domain/lifecycle/contract.ts';
import type { PlannedStage } from '../src/domain/lifecycle/plan.ts';
import type { Course } from './course.ts';
import type { GuardOptions, WatchOptions } from './guards.ts';
import { quiet } from './quiet.ts';
import { restoreRecord } from './records.ts';
import { slowUndoMs } from './steps.ts';

/** The chart begins so long before the first write. */
const CHART_BEFORE_MS = 30_000;

/** One watch of one stage, with everything it needs to act alone: the evidence so far, the fuse, the message. */
export async function watch(
  course: Course,
  purpose: WatchInput['purpose'],
  stage: PlannedStage,
  durationMs: number,
  { holder = { stage: stage.number }, ...options }: WatchOptions = {},
): Promise<WatchResult> {
  const { plan, request } = course;
  if (!plan) throw new Error('watching without a plan');
  const shares = options.guardMs === undefined ? course.shares.watches : course.shares.guards;
  const share = shares.take(request.settings.alpha);
  const chartFrom = course.series.length > 0 || course.shares.taken > 1 ? Date.now() : course.firstWriteAt - CHART_BEFORE_MS;
  // Guards overlap with watches, so what they find stands alone.
  const evidence = options.guardMs === undefined && purpose !== 'restored' ? course.evidence.next(plan, request.settings) : undefined;
  const watching = course.step(
    'watch',
    (options.guardMs ?? durationMs) + slowUndoMs(course.written),
  )({
    opId: course.opId,
    target: plan.target,
    verb: plan.verb,
    purpose,
    stage,
    durationMs,
    ...options,
    spent: course.spent,
    chartFrom,
    plan,
    alpha: evidence ? course.evidence.alpha(share.alpha) : share.alpha,
    ...(evidence && { evidence }),
    settings: request.settings,
    view: course.view,
    accepted: course.accepted,
    acceptedMost: course.acceptedMost,
    fuse: course.restoreInput(holder, true),
  });
  const result = evidence ? await course.evidence.after(watching) : await watching;
  if (result.judged === false) share.giveBack();
  course.spent += result.spent ?? 0;
  if (options.guardMs === undefined) course.guards.spentMore();
  course.addSeries(result.series);
  if (!result.relieved || result.verdict.kind === 'harmful') recordWatch(course, purpose, stage, result);
  if (evidence && result.relieved && result.verdict.kind !== 'harmful') throw new CancelledFailure('The watch was stopped.');
  return result;
}

function recordWatch(course: Course, purpose: WatchInput['purpose'], stage: PlannedStage, result: WatchResult): void {
  course.record('verdict', {
    stage: stage.number,
    purpose,
    kind: result.verdict.kind,
    words: result.verdict.words,
    counts: { ...result.counts } as never,
  });
  if (!result.fuse) return;
  course.record('restore', {
    fuse: true,
    startedAt: result.fuse.startedAt,
    endedAt: result.fuse.endedAt,
    ...restoreRecord(result.fuse.result),
  });
  if (result.verdict.kind === 'harmful') course.say({ kind: 'fuse', verdict: result.verdict, restore: result.fuse.result });
}

/**
 * Does `work` (a gate, a plan) while what is in force is guarded. Ends with the work's value, or with what the guard found changed by
 * somebody else: then the work was put away. Harm stops everything forward. The guard stays until the next one relieves it.
 */
export async function watchedWhile<T>(
  course: Course,
  work: () => Promise<T>,
  options: GuardOptions = {},
): Promise<{ readonly done: T } | { readonly drift: Verdict }> {
  const { guards } = course;
  guards.arm(options);
  const [workScope, lookScope] = [new CancellationScope(), new CancellationScope()];
  const working = workScope.run(work).then((done) => ({ done }));
  const looking = lookScope.run(() => condition(() => guards.drift !== undefined));
  try {
    const first = await Promise.race([working, looking]);
    if (first) return first;
    workScope.cancel();
    // Both may have come at once: what people have decided is not thrown away, and the next write finds the drift.
    const late = await quiet(working);
    const { drift } = guards;
    if (late || !drift) return late ?? (await watchedWhile(course, work, options));
    return { drift };
  } finally {
    lookScope.cancel();
    await quiet(looking);
  }
}
