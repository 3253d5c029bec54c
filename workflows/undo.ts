import { CancellationScope, sleep } from '@temporalio/workflow';
import type { RestoredObject, RestoreResult } from '../activities/contract.ts';
import type { JsonObject } from '../src/domain/json.ts';
import type { Undone } from '../src/domain/outcome.ts';
import type { ObjectRef } from '../src/domain/plan.ts';
import { undoCommand } from '../src/domain/undo-command.ts';
import type { Course } from './course.ts';

/** A failing undo is told after this long, and again at every `REMIND_MS`. */
const TELL_AFTER_MS = 30_000;
const REMIND_MS = 5 * 60_000;

/**
 * Puts everything back as it was before the operation. Registered by the first stage before it writes, so there is nothing to undo
 * exactly when nothing can have been written. Cannot be cancelled; goes on until the restore has an answer.
 */
export async function undo(course: Course): Promise<Undone | undefined> {
  if (course.written.length === 0) return undefined;
  return CancellationScope.nonCancellable(async () => {
    course.show({ phase: 'restoring' });
    const reminders = new CancellationScope();
    const reminding = reminders.run(() => remind(course)).catch(() => undefined);
    const result = await course.step('restore')(course.restoreInput('operation'));
    reminders.cancel();
    await reminding;
    course.record('restore', restoreRecord(result));
    course.forget('undoFailing');
    return undoneOf(result);
  });
}

function undoneOf(result: RestoreResult): Undone {
  if (result.kind === 'superseded') return { kind: 'superseded', object: nameOf(result.object) };
  const inState = (state: RestoredObject['state']): readonly string[] =>
    result.objects.filter((object) => object.state === state).map((object) => nameOf(object.object));
  return { kind: 'restored', exact: result.exact, drifted: inState('drifted'), gone: inState('gone') };
}

export function restoreRecord(result: RestoreResult): JsonObject {
  return result.kind === 'superseded'
    ? { kind: result.kind, object: nameOf(result.object), token: result.token, at: result.at }
    : {
        kind: result.kind,
        exact: result.exact,
        at: result.at,
        objects: result.objects.map(({ object, state }) => ({ object: nameOf(object), state })),
      };
}

const nameOf = (object: ObjectRef): string => `${object.kind} ${object.namespace}/${object.name}`;

async function remind(course: Course): Promise<void> {
  await sleep(TELL_AFTER_MS);
  const since = Date.now() - TELL_AFTER_MS;
  for (;;) {
    const reason = 'the cluster does not take the write';
    const commands = course.originals.map((original) => undoCommand(original));
    course.show({ undoFailing: { since, reason, commands } });
    course.say({ kind: 'undo-failing', reason, commands });
    await sleep(REMIND_MS);
  }
}
