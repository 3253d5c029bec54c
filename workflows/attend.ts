import { patched } from '@temporalio/workflow';
import type { Attended } from '../activities/contract.ts';
import type { Asking } from './ask.ts';
import type { Course } from './course.ts';
import { heedsFreezes } from './freeze.ts';
import { attentive } from './steps.ts';

/** How often a freeze is looked at where the request does not say. */
const USUAL_LOOK_MS = 10_000;
/** After so many changes (freezes set and lifted, people who come and go) a question stays as it is: its history must not grow without end. */
const MOST_CHANGES = 100;

/** Keeps an open question true until it is cancelled: one activity for each change that it shows. */
export async function attend(course: Course, { request, rule, gate, waitMs }: Asking): Promise<void> {
  const end = Date.now() + waitMs;
  const { target, settings } = request;
  const about = { target, request, ...(rule && { rule }), everyMs: settings.freezeLookMs ?? USUAL_LOOK_MS };
  let known: Attended = { freeze: null, approvers: gate.approvers };
  const heeds = heedsFreezes(request, course.asked);
  for (let changes = 0; changes < MOST_CHANGES && Date.now() < end; changes += 1) {
    const forMs = end - Date.now();
    const before = known.approvers;
    known = await attentive(forMs).attend({ ...about, ...known, heeds, forMs });
    if (!known.freeze) course.forget('frozen');
    const { gate: open } = course.view;
    if (open && isOther(before, known.approvers) && patched('gate-changes'))
      course.record('gate', {
        gateId: open.gateId,
        kind: open.kind,
        approvers: known.approvers.map(({ id }) => id),
        before: before.map(({ id }) => id),
      });
    course.show({ ...(known.freeze && { frozen: known.freeze }), ...(open && { gate: { ...open, approvers: known.approvers } }) });
  }
}

function isOther(before: Attended['approvers'], now: Attended['approvers']): boolean {
  const ids = (all: Attended['approvers']) =>
    all
      .map(({ id }) => id)
      .toSorted()
      .join();
  return ids(before) !== ids(now);
}
