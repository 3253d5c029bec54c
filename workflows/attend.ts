import { patched } from '@temporalio/workflow';
import { callsDue } from '../src/domain/lifecycle/calls.ts';
import type { Attended } from '../src/domain/lifecycle/contract.ts';
import type { Gate, GateRule } from '../src/domain/lifecycle/gate.ts';
import type { OperationRequest, OperationView } from '../src/domain/lifecycle/operation.ts';

import type { Course } from './course.ts';
import { heedsFreezes } from './freeze.ts';
import { attentive } from './steps.ts';

/** How often a freeze is looked at where the request does not say. */
const USUAL_LOOK_MS = 10_000;
/** After so many changes (freezes set and lifted, people who come and go) a question stays as it is: its history must not grow without end. */
const MOST_CHANGES = 100;

/** Keeps an open question true until it is cancelled: one activity for each change that it shows. */
export async function attend(course: Course, { request, rule, gate, waitMs, ignoresFreezes }: Asking): Promise<void> {
  const end = Date.now() + waitMs;
  const { target, settings } = request;
  const about = { target, request, ...(rule && { rule }), everyMs: settings.freezeLookMs ?? USUAL_LOOK_MS };
  let known: Omit<Attended, 'isDue'> = { freeze: null, approvers: gate.approvers };
  const heeds = !ignoresFreezes && heedsFreezes(request, course.asked);
  const due = [...callsDue(rule, Date.now(), waitMs)];
  for (let changes = 0; changes < MOST_CHANGES && Date.now() < end; changes += 1) {
    const forMs = end - Date.now();
    const before = known.approvers;
    const [next] = due;
    const { isDue, ...now } = await attentive(forMs).attend({ ...about, ...known, heeds, forMs, ...(next && { callAt: next.at }) });
    known = now;
    if (isDue) due.shift();
    if (!known.freeze) course.forget('frozen');
    const { gate: open } = course.view;
    if (open && isOther(before, known.approvers) && patched('gate-changes'))
      course.record('gate', {
        gateId: open.gateId,
        kind: open.kind,
        approvers: known.approvers.map(({ id }) => id),
        before: before.map(({ id }) => id),
      });
    const call = isDue && next ? { call: next.call } : {};
    course.show({ ...(known.freeze && { frozen: known.freeze }), ...(open && { gate: { ...open, approvers: known.approvers, ...call } }) });
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

export interface Asking {
  readonly request: OperationRequest;
  /** Who decides; undefined: whoever may give commands. */
  readonly rule: GateRule | undefined;
  readonly gate: Omit<Gate, 'gateId' | 'openedAt' | 'expiresAt' | 'approvals'>;
  readonly waitMs: number;
  readonly rest: Partial<OperationView>;
  /** What has been given before it is asked. Left out: what a question in between has put away. */
  readonly given?: Gate['approvals'];
  /** It only takes something away: a freeze is nothing to it. */
  readonly ignoresFreezes?: true;
}
