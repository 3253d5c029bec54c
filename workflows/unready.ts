import { CancellationScope, condition, isCancellation, log, patched } from '@temporalio/workflow';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import { askPeople } from './ask.ts';
import type { Asking } from './attend.ts';
import type { Course } from './course.ts';
import { quiet } from './quiet.ts';

/**
 * A rollback gives traffic back to whoever had it before. Where they have nobody to answer it, it would do harm of its own, so people are
 * asked first: what is in place stays, watched with its fuse, until they can answer, somebody wants it all the same, or the time of a hold
 * is over. The fuse itself never asks. Whatever is not known holds up nothing.
 */
export async function untilReady(course: Course, ending: Ending): Promise<void> {
  if (!isAsked(course, ending) || !patched('undo-asks')) return;
  const { originals } = course;
  const words = await course
    .step('unready')({ originals, waitMs: 0 })
    .then(({ words: found }) => found)
    .catch((error: unknown) => {
      log.warn('it could not be learned who can answer after the undo', { opId: course.opId, error: String(error) });
      return undefined;
    });
  if (words !== undefined) await asked(course, words);
}

/** What harm has put back already, and what only takes something away, gives traffic to nobody now. */
function isAsked({ written, keeps, guards }: Course, { kind, verdict }: Ending): boolean {
  return written.some(({ stage }) => stage > 0) && !keeps && !guards.harm && verdict?.kind !== 'harmful' && kind !== 'superseded';
}

async function asked(course: Course, words: string): Promise<void> {
  const { holdMs } = course.request.settings;
  const { stopped } = course;
  course.say({ kind: 'unready', words });
  // What others have changed is no question now, and ends no watch: the fuse is armed for as long as this is waited for.
  course.guards.arm(patched('unready-watched') ? { drifted: true } : {});
  const scope = new CancellationScope();
  const gate = { kind: 'undo', stage: course.exposed?.number ?? 0, approvers: [], quorum: 0, why: words } as const;
  const planHash = course.plan?.planHash ?? course.view.planHash ?? '0'.repeat(64);
  const waits = [
    scope.run(() => askAndRemind(course, { ...gate, planHash }, holdMs)),
    scope.run(() => course.step('unready', holdMs)({ originals: course.originals, waitMs: holdMs })),
    // Whoever stops it once more has read why it waits.
    scope.run(() => condition(() => course.guards.harm !== undefined || course.stopped > stopped)),
  ];
  try {
    await Promise.race(waits);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('it could not be waited for endpoints', { opId: course.opId, error: String(error) });
  } finally {
    scope.cancel();
    await Promise.all(waits.map((wait: Promise<unknown>) => quiet(wait)));
    course.guards.relieve();
  }
}

/** Whoever asked for the change is called, and again at half of the time. */
async function askAndRemind(course: Course, gate: Asking['gate'], waitMs: number): Promise<void> {
  const rest = { phase: 'holding' } as const;
  if (!patched('undo-reminds')) return void (await course.ask(gate, waitMs, rest));
  await askPeople(course, { request: course.request, rule: undefined, gate, waitMs, rest, ignoresFreezes: true });
}
