import { CancellationScope, condition, isCancellation, log, patched, sleep } from '@temporalio/workflow';
import type { RestoredObject, RestoreResult } from '../src/domain/lifecycle/contract.ts';
import { gateRuleFor } from '../src/domain/lifecycle/gate.ts';
import type { Ending, Undone } from '../src/domain/lifecycle/outcome.ts';
import { undoCommand } from '../src/domain/lifecycle/undo-command.ts';
import { recordOf } from '../src/domain/verb.ts';
import type { Course } from './course.ts';
import { watch } from './guard.ts';
import { nameOf, restoreRecord } from './records.ts';
import { shared, slowUndoMs, WRITE_MS } from './steps.ts';

/** A failing undo is told after this long where the request does not say, and again after `REMIND_MS`, then each time twice as late. */
const USUAL_TELL_AFTER_MS = 30_000;
const REMIND_MS = 5 * 60_000;
/** Pods that are replaced again nearly always need no more than this part of what they may take: before that nothing is wrong. */
const PATIENT_FOR = 5;
/** Each reminder leaves some twenty events: at this pace a cluster that is away for weeks fills no history. */
const REMIND_AT_LEAST_MS = 6 * 3_600_000;

/**
 * Puts everything back as it was before the operation. Registered by the first stage before it writes, so there is nothing to undo
 * exactly when nothing can have been written. Cannot be cancelled; goes on until the restore has an answer, or people release it.
 */
export async function undo(course: Course, { verdict }: Pick<Ending, 'verdict'>): Promise<Undone | undefined> {
  if (course.written.length === 0) return undefined;
  // A claim alone is taken away; what a stage may have lowered stays low.
  if (course.keeps && course.written.some(({ stage }) => stage > 0)) return { kind: 'kept' };
  return CancellationScope.nonCancellable(async () => {
    course.show({ phase: 'restoring' });
    const [reminders, attempts] = [new CancellationScope(), new CancellationScope()];
    const reminding = reminders.run(() => remind(course)).catch(() => undefined);
    const restoring = attempts.run(() =>
      course.step(
        'restore',
        course.originals.length + slowUndoMs(course.written) / WRITE_MS,
      )({
        ...course.restoreInput('operation', verdict?.kind === 'harmful'),
        ...(verdict?.kind === 'harmful' && verdict.harmed && { harmed: verdict.harmed }),
        ...(slowUndoMs(course.written) > 0 && { view: course.view }),
      }),
    );
    const result = await Promise.race([restoring, condition(() => course.released)]);
    reminders.cancel();
    await reminding;
    course.forget('undoFailing');
    if (!result) {
      attempts.cancel();
      await restoring.catch(() => undefined);
      return { kind: 'abandoned', by: (course.view.releases ?? []).map(({ by }) => by.name) };
    }
    course.record('restore', restoreRecord(result));
    return undoneOf(result);
  });
}

/**
 * After harm was put back: is the service well again? The traffic is watched a while without a fuse, since there is nothing left to
 * undo. Returns the ending with what was seen, where the harm goes on.
 */
export async function watchRestored(course: Course, ending: Ending, undone: Undone): Promise<Ending> {
  const { exposed, request } = course;
  const watchMs = request.settings.restoredWatchMs ?? 0;
  if (ending.verdict?.kind !== 'harmful' || undone.kind !== 'restored' || !exposed || watchMs === 0) return ending;
  course.show({ restored: true, watchUntil: Date.now() + watchMs });
  try {
    const { verdict } = await watch(course, 'restored', exposed, watchMs);
    if (verdict.kind !== 'harmful') return ending;
    // A share that can be taken away is what the verb has a button for.
    const { zero } = recordOf(request.verb).onwards;
    const isExposedBefore = course.originals.some(({ own = [], fields }) => own.some((field) => Number(fields[field] ?? 1) > 0));
    const hasShare = zero !== undefined && (isExposedBefore || undone.exposes === true);
    course.say({ kind: 'still-failing', verdict, hasShare });
    return { ...ending, stillFailing: { words: verdict.words, hasShare } };
  } catch (error) {
    if (isCancellation(error)) throw error;
    // What was put back stays put back: that nobody could look afterwards changes no outcome.
    log.warn('the traffic could not be watched after the restore', { opId: course.opId, error: String(error) });
    return ending;
  }
}

function undoneOf(result: RestoreResult): Undone {
  if (result.kind === 'superseded') return { kind: 'superseded', object: nameOf(result.object) };
  const inState = (state: RestoredObject['state']): readonly string[] =>
    result.objects.filter((object) => object.state === state).map((object) => nameOf(object.object));
  const exposes = result.objects.some((object) => object.exposes);
  return { kind: 'restored', exact: result.exact, drifted: inState('drifted'), gone: inState('gone'), ...(exposes && { exposes }) };
}

/** Everybody but the requesters whom the strictest gate names. Undefined: nobody can say now, and whoever may give commands may. */
async function whoMayRelease(course: Course): Promise<Course['releasers']> {
  const { request } = course;
  const rule = gateRuleFor(request.settings.gates, 1, 0);
  return rule ? shared.resolveApprovers({ rule, request }) : [];
}

async function remind(course: Course): Promise<void> {
  const slowMs = slowUndoMs(course.written) / PATIENT_FOR;
  const tellAfterMs = (course.request.settings.undoToldMs ?? USUAL_TELL_AFTER_MS) + slowMs;
  await sleep(tellAfterMs);
  const since = Date.now() - tellAfterMs;
  // Nobody is told later because Slack does not say who may release.
  const isAsync = patched('told-before-asked');
  if (isAsync) inBackground(whoMayRelease(course).then((releasers) => void (course.releasers = releasers)));
  else if (patched('release')) course.releasers = await whoMayRelease(course);
  for (let pauseMs = REMIND_MS; ; pauseMs = Math.min(2 * pauseMs, REMIND_AT_LEAST_MS)) {
    const reason = slowMs > 0 ? 'not every pod that it replaces again is ready' : 'the API server does not accept the write';
    const commands = course.originals.map((original) => undoCommand(original));
    course.show({ undoFailing: { since, reason, commands } });
    course.say({ kind: 'undo-failing', reason, commands });
    await sleep(pauseMs);
  }
}

function inBackground(work: Promise<void>): void {
  work.catch((error: unknown) =>
    isCancellation(error) ? undefined : log.warn('it could not be learned who may release', { error: String(error) }),
  );
}
