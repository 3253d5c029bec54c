import { allHandlersFinished, CancellationScope, condition, isCancellation, log, patched } from '@temporalio/workflow';
import type { Verdict } from '../src/domain/judge/verdict.ts';
import { type OperationRequest, type Outcome } from '../src/domain/lifecycle/operation.ts';
import { concludeOperation, type Ending, type Undone } from '../src/domain/lifecycle/outcome.ts';
import type { PlannedStage } from '../src/domain/lifecycle/plan.ts';
import { recordOf, takesBack } from '../src/domain/verb.ts';
import { agree } from './agree.ts';
import { Course, emergencyIn } from './course.ts';
import { asksAboutDrift, guarded, meetDrift } from './drift.ts';
import { endState } from './end-state.ts';
import { expose, hold, type Next } from './expose.ts';
import { watch } from './guard.ts';
import { keep, recover } from './recover.ts';
import { rootMessage } from './root-message.ts';
import { undo, watchRestored } from './undo.ts';
import { untilReady } from './unready.ts';
import { lower } from './way-back.ts';

/**
 * The one lifecycle of every verb: begin, plan, gate, then for each stage apply, realised, watch; afterwatch; and the undo of it all
 * on harm, reject, abort, expiry or failure. Whatever ends it, the mesh is as approved or exactly as it was.
 */
export async function operate(request: OperationRequest): Promise<Outcome> {
  const course = new Course(request, watch);
  if (!(await course.begun()))
    return concludeOperation(
      { kind: 'impossible', code: 'NotBegun', words: 'The command was not confirmed; nothing was changed.' },
      undefined,
    );
  if (patched('root-held-back')) course.holdBack(untilShown(request));
  course.show({});
  const ending = await wayOf(course, request);
  return CancellationScope.nonCancellable(() => (ending.kind === 'completed' ? stay(course, ending) : putBack(course, ending)));
}

/** What was done stays, unless it is stopped while the end is being read back: whoever is told that it stops never sees it complete. */
async function stay(course: Course, ending: Ending): Promise<Outcome> {
  await course.guards.over();
  const { stopped: before } = course;
  course.lookingBack = true;
  const now = await endState(course, undefined);
  return course.stopped > before ? putBack(course, stopped(course)) : conclude(course, ending, undefined, now);
}

async function putBack(course: Course, ending: Ending): Promise<Outcome> {
  await untilReady(course, ending);
  const undone = await undo(course, ending);
  await course.guards.over();
  const why = refusedByFuse(course, ending) ?? ending;
  const told = undone ? await watchRestored(course, why, undone) : why;
  course.concluding = true;
  return conclude(course, told, undone, await endState(course, undone));
}

function wayOf(course: Course, { recovery }: OperationRequest): Promise<Ending> | Ending {
  if (!recovery) return advance(course, () => steps(course));
  return recovery.keep ? advance(course, () => keep(course, recovery)) : recover(course, recovery);
}

/** A command that is refused within this time of being given leaves no message in the channel. Milliseconds. */
const ROOT_AFTER_MS = 2_000;

function untilShown({ requestedAt }: OperationRequest): number {
  return Math.max(1, Math.min(ROOT_AFTER_MS, requestedAt + ROOT_AFTER_MS - Date.now()));
}

/** Goes forward until there is nothing more to do or something speaks against it. */
async function advance(course: Course, work: () => Promise<Ending>): Promise<Ending> {
  try {
    const ending = await course.forward.run(work);
    // A guard that was relieved a moment ago may not have said its last word.
    if (ending.kind === 'completed') await course.guards.over();
    // The last step may have been done already when it was asked to stop: what stopped it counts all the same.
    const isLate = ending.kind !== 'rolled-back' && course.forward.consideredCancelled && patched('abort-counts');
    return isLate ? stopped(course) : ending;
  } catch (error) {
    // What was under way when it was stopped may have died with its worker instead of being cancelled.
    const isStopped = isCancellation(error) || (course.forward.consideredCancelled && patched('stopped-and-lost'));
    return isStopped ? stopped(course) : failedEnding(course, error);
  } finally {
    course.guards.relieve();
  }
}

/** A write that a guard's fuse has just undone finds nothing as it expects: the reason is the harm, not the refusal. */
function refusedByFuse(course: Course, { kind }: Ending): Ending | undefined {
  return kind === 'superseded' || kind === 'drifted' || kind === 'failed' ? course.guards.harm : undefined;
}

/** Why everything forward was stopped: people, a guard's verdict, or a guard that could not go on. */
function stopped(course: Course): Ending {
  const { harm: found, failure } = course.guards;
  if (course.aborted || !(found || failure)) return abortEnding(course);
  return found ?? failedEnding(course, failure?.error);
}

function failedEnding({ opId }: Course, error: unknown): Ending {
  log.error('operation failed', { opId, error: String(error) });
  return { kind: 'failed', code: 'Failed', words: `A step failed: ${rootMessage(error)}.` };
}

async function steps(course: Course): Promise<Ending> {
  for (;;) {
    const { request } = course;
    const { adopted } = course;
    course.adopted = false;
    const agreed = await guarded(course, () => agree(course, request));
    if (agreed === 'replan') continue;
    if ('ending' in agreed) return agreed.ending;
    let next: Next;
    if (agreed.done.kind === 'agreed') {
      course.offset = 0;
      if (agreed.done.plan.lowers && !course.exposed) return lower(course, request, agreed.done.plan);
      for (const stage of agreed.done.plan.stages) {
        next = await expose(course, request, agreed.done.plan, stage);
        if (next) break;
      }
    } else if (adopted) {
      // What was adopted may be all that was asked for; else it was not agreed how to go on from there.
      if (agreed.done.ending.code !== 'AlreadyThere') return agreed.done.ending;
    } else if (course.exposed) {
      decline(course, agreed.done.ending);
    } else {
      return agreed.done.ending;
    }
    next ??= await afterwatch(course);
    if (next && next !== 'replan') return next;
  }
}

/** A further step of a running operation was declined: what is in force stays, and stays watched. */
function decline(course: Course, ending: Ending): void {
  course.requests.pop();
  course.say({ kind: 'declined', ending });
  course.forget('reason');
  course.show({ ...course.inForce, stages: course.view.stages.filter((stage) => stage.state !== 'pending') });
}

/** From here on people see what is asked for now; what is in force is shown again if that is declined. */
function askFor(course: Course, next: OperationRequest): void {
  const { text, reason, requester, from, to, explanation, watched, planHash } = course.view;
  const rest = { ...(reason && { reason }), ...(from && { from }), ...(to && { to }), ...(planHash && { planHash }) };
  course.inForce = { text, requester, explanation, watched, ...rest };
  course.requests.push(next);
  course.forget('reason');
  course.amend({ text: next.text, requester: next.requester, ...(next.reason && { reason: next.reason }), ...emergencyIn(next) });
}

/** Keeps the fuse armed after the last stage. Undefined = a further step was asked for. */
async function afterwatch(course: Course): Promise<Next> {
  const stage = course.exposed;
  const { afterwatchMs } = course.request.settings;
  const isOver = stage?.exposure === 0 && course.plan && recordOf(course.plan.verb).restsAtZero && patched('nothing-exposed');
  const isWatched = stage && stage.soakMs !== 0 && !isOver;
  if (!isWatched || afterwatchMs === 0) return { kind: 'completed', code: 'Completed' };
  course.show({ phase: 'afterwatch', watchUntil: Date.now() + afterwatchMs });
  const scope = new CancellationScope();
  const watching = scope.run(() => watch(course, 'after', stage, afterwatchMs, course.isGuarded ? { relievable: true } : {}));
  course.guards.relieve();
  const first = await Promise.race([watching, condition(() => course.next !== undefined)]);
  if (first === undefined && course.isGuarded) {
    // It stays armed until the guard of what comes next is.
    course.guards.leave(scope, watching, stage);
    if (course.next) askFor(course, course.next);
    course.next = undefined;
    return undefined;
  }
  if (first === undefined) {
    scope.cancel();
    const late = await watching.catch((error: unknown) => {
      if (isCancellation(error)) return undefined;
      throw error;
    });
    if (late?.verdict.kind === 'harmful') return course.guards.found(late.verdict, stage);
    if (course.next) askFor(course, course.next);
    course.next = undefined;
    return undefined;
  }
  return settle(course, stage, first.verdict);
}

/** The afterwatch has said its word. Drift is for people to decide; nothing else takes back what was approved and seen healthy. */
async function settle(course: Course, stage: PlannedStage, verdict: Verdict): Promise<Next> {
  if (verdict.kind === 'harmful') return course.guards.found(verdict, stage);
  if (verdict.kind === 'drift' && course.plan && asksAboutDrift()) {
    const met = await meetDrift(course, course.request, course.plan, stage, verdict);
    if ('ending' in met) return met.ending;
    return met.kind === 'replan' ? 'replan' : afterwatch(course);
  }
  if (verdict.kind === 'drift') {
    const held = await hold(course, course.request, stage, verdict);
    if (held === 'replan') return held;
    if ('ending' in held) return held.ending;
    if (held.answer === 'extend') return afterwatch(course);
  }
  return { kind: 'completed', code: 'Completed', verdict };
}

function abortEnding(course: Course): Ending {
  const { actor, reason, rollback } = course.aborted ?? {};
  const who = { ...(actor && { by: actor }), ...(reason && { reason }) };
  return rollback && course.written.length > 0
    ? { kind: 'rolled-back', code: 'RolledBack', ...who }
    : { kind: 'aborted', code: 'Aborted', ...who };
}

/** `now`: what there is, as it was read back. */
async function conclude(course: Course, ended: Ending, undone: Undone | undefined, now: string | undefined): Promise<Outcome> {
  const wayBack = takesBack(course.request, course.plan);
  const typed = recordOf(course.request.verb).typedBack?.(course.request.change);
  const back = { takesBack: wayBack, ...(typed !== undefined && { wayBack: typed }) };
  const ending = ended.kind === 'completed' ? { ...seen(course), ...ended, ...back } : ended;
  course.concluding = true;
  const outcome: Outcome = { ...concludeOperation(ending, undone), ...(now !== undefined && { now }) };
  const stages = course.view.stages.map((stage) => {
    if (stage.state === 'pending') return { ...stage, state: 'skipped' as const };
    // A guard finds harm beside a question, or while the stage is written: before any watch of its own could say so.
    if (stage.number === course.guards.harmful) return { ...stage, state: 'harmful' as const };
    return undone && undone.kind !== 'kept' && stage.state !== 'harmful' ? { ...stage, state: 'undone' as const } : stage;
  });
  // What stays written can be gone back from, however the operation ended.
  const stays = outcome.kind === 'completed' || undone?.kind === 'kept';
  const completed = stays && course.exposed ? { originals: course.originals, last: course.exposed, wayBack } : {};
  const { message } = course.view;
  const counts = outcome.verdict?.counts ?? stages.findLast((stage) => stage.counts)?.counts;
  course.record('outcome', {
    ...outcome,
    ...completed,
    ...(message && { message }),
    ...(counts && { counts: { ...counts } }),
    opId: course.opId,
  } as never);
  course.show({ phase: 'over', outcome, stages });
  course.say({ kind: 'outcome' });
  course.drawChart();
  if (outcome.kind === 'completed' && patched('retire-buttons')) course.retireEarlier();
  await course.told();
  await condition(allHandlersFinished);
  return outcome;
}

/** What the last watch of all said, where the ending does not say it itself. */
function seen({ view: { verdict } }: Course): Pick<Ending, 'verdict'> {
  return verdict ? { verdict } : {};
}
