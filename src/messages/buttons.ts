// Which buttons an operation's message carries in which phase. Their values are ids only; the server's state decides what a click means.

import type { ActionsBlock, Button, ConfirmationDialog } from '@slack/types';
import type { Doubt } from '../domain/judge/verdict.ts';
import { ACTION, type ActionId, CANDIDATES, encodeButton } from '../domain/lifecycle/button.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { shortNameOf } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import { cut } from '../domain/words/words.ts';
import { presentStage } from './ladder.ts';

interface ButtonWords {
  readonly id: ActionId;
  readonly label: string;
  /** What a screen reader says: the label alone does not name the operation. */
  readonly spoken: string;
  readonly style?: 'primary' | 'danger';
  readonly confirm?: { readonly title: string; readonly text: string; readonly yes: string };
  readonly candidate?: string;
}

/** The row of buttons, or undefined when there is nothing to press. */
export function buttonRow(view: OperationView): ActionsBlock | undefined {
  const words = buttonsOf(view);
  return words.length === 0 ? undefined : { type: 'actions', block_id: 'meshops:actions', elements: words.map((one) => button(one, view)) };
}

/** The button that stops the operation, where it can be stopped. */
export function abortButton(view: OperationView): Button | undefined {
  const row = buttonRow(view);
  return row?.elements.find((element): element is Button => element.type === 'button' && element.action_id === ACTION.abort);
}

/** Those that answer the open question, for its own post. */
export function answerRow(view: OperationView): ActionsBlock | undefined {
  const row = buttonRow(view);
  const elements = row?.elements.filter(({ action_id: id }) => id !== ACTION.abort) ?? [];
  return row && elements.length > 0 ? { ...row, elements } : undefined;
}

function buttonsOf(view: OperationView): readonly ButtonWords[] {
  if (view.lost) return [ROLL_BACK_LOST, KEEP];
  switch (view.phase) {
    case 'planning':
    case 'restoring':
      return [];
    case 'waiting':
      return [APPROVE, REJECT, abort(view)];
    case 'applying':
    case 'watching':
      return [abort(view)];
    case 'holding':
      if (!view.gate) return [abort(view)];
      if (view.gate.kind === 'drift') return [ADOPT, RESTORE, LEAVE];
      if (view.gate.kind === 'undo') return [ROLL_BACK_ANYWAY];
      return [EXTEND, view.gate.accepts ? acceptOf(view.gate.accepts) : CONTINUE, ROLL_BACK];
    case 'afterwatch':
      return [...(canClimb(view) ? nextOf(view, 'promote') : []), abort(view)];
    case 'over':
      if (view.outcome?.kind === 'completed')
        return [...(canClimb(view) ? nextOf(view, 'promote') : []), ...(isLeft(view) ? [NEXT_ROLLBACK] : []), STATUS, HISTORY];
      return [...candidates(view), ...(view.outcome?.stillFailing?.hasShare ? nextOf(view, 'zero') : []), STATUS, HISTORY];
    default:
      return view.phase satisfies never;
  }
}

/** Whom the command could have meant: each button gives it again, for that one. */
function candidates({ outcome, target }: OperationView): readonly ButtonWords[] {
  return CANDIDATES.flatMap((id, index) => {
    const name = outcome?.candidates?.[index];
    if (name === undefined) return [];
    return [{ id, label: cut(`${target.namespace}/${name}`, 75), spoken: `Take ${name} as the canary, instead of`, candidate: name }];
  });
}

/** A way back is no target of another, and what exposes nobody has left nothing. */
function isLeft(view: OperationView): boolean {
  return !view.takesBack && (presentStage(view)?.exposure ?? 0) > 0;
}

const NEXT_IDS = { promote: ACTION.nextPromote, zero: ACTION.nextZero } as const;

/** The verb's own next step, where it has one of this kind. */
function nextOf({ verb }: OperationView, kind: keyof typeof NEXT_IDS): readonly ButtonWords[] {
  const next = recordOf(verb).onwards[kind];
  return next ? [{ id: NEXT_IDS[kind], ...next.button }] : [];
}

function canClimb(view: OperationView): boolean {
  const exposure = presentStage(view)?.exposure ?? 0;
  return exposure > 0 && exposure < 1;
}

const APPROVE: ButtonWords = { id: ACTION.approve, label: 'Approve', spoken: 'Approve', style: 'primary' };
const REJECT: ButtonWords = { id: ACTION.reject, label: 'Reject', spoken: 'Reject, with a reason,' };
const EXTEND: ButtonWords = { id: ACTION.extend, label: 'Extend', spoken: 'Keep watching for one more period:' };
const CONTINUE: ButtonWords = {
  id: ACTION.continue,
  label: 'Continue',
  spoken: 'Go on without a verdict:',
  confirm: {
    title: 'Go on without a verdict?',
    text: 'The watched traffic did not show that this stage is healthy. Continuing needs an approver and moves to the next stage.',
    yes: 'Continue',
  },
};
/** Accepting names what is accepted: the same groups as the message. */
function acceptOf(accepts: readonly Doubt[]): ButtonWords {
  const named = accepts.map(({ words }) => words).join('; ');
  return {
    id: ACTION.continue,
    label: 'Accept and continue',
    spoken: 'Accept these drops and go on:',
    confirm: {
      title: 'Accept these drops?',
      text: cut(`Needs an approver who did not ask for the change. Accepted: ${named}. More than that is asked again.`, 300),
      yes: 'Accept and continue',
    },
  };
}

const ROLL_BACK: ButtonWords = {
  id: ACTION.rollback,
  label: 'Roll back',
  spoken: 'Roll back',
  style: 'danger',
  confirm: { title: 'Roll back?', text: 'Everything this operation changed is rolled back.', yes: 'Roll back' },
};
/** The form that an abort opens asks once more. */
const ROLL_BACK_LOST: ButtonWords = { id: ACTION.abort, label: 'Roll back', spoken: 'Roll back', style: 'danger' };
const KEEP: ButtonWords = {
  id: ACTION.keep,
  label: 'Keep it',
  spoken: 'Keep what is in place:',
  confirm: {
    title: 'Keep it as it is?',
    text: 'Needs an approver who did not ask for the change. Nothing is written: what is in place stays, and can be rolled back later.',
    yes: 'Keep it',
  },
};
const ROLL_BACK_ANYWAY: ButtonWords = {
  id: ACTION.rollback,
  label: 'Roll back anyway',
  spoken: 'Roll back although nobody can answer the requests:',
  style: 'danger',
  confirm: {
    title: 'Roll back anyway?',
    text: 'Requests go to a Service without a ready endpoint: they fail until it has one.',
    yes: 'Roll back',
  },
};
const ADOPT: ButtonWords = {
  id: ACTION.adopt,
  label: 'Adopt',
  spoken: 'Adopt what was found:',
  confirm: {
    title: 'Adopt what was found?',
    text: 'What someone else wrote becomes the state that this operation goes on from. A rollback goes back to what was before the operation.',
    yes: 'Adopt',
  },
};
const RESTORE: ButtonWords = {
  id: ACTION.restore,
  label: 'Restore',
  spoken: 'Write the values of this stage again:',
  confirm: {
    title: 'Write our values again?',
    text: 'The values of this stage replace what someone else wrote into the same fields. Other fields are not touched.',
    yes: 'Restore',
  },
};
const LEAVE: ButtonWords = {
  id: ACTION.leave,
  label: 'Leave',
  spoken: 'End and leave what others wrote:',
  style: 'danger',
  confirm: {
    title: 'End and leave it?',
    text: "The operation ends. Only the weight of its own Service, or its own policy, goes back; other people's changes are kept.",
    yes: 'Leave',
  },
};
const HISTORY: ButtonWords = { id: ACTION.history, label: 'History', spoken: 'Show the last operations on the target of' };
const NEXT_ROLLBACK: ButtonWords = {
  id: ACTION.nextRollback,
  label: 'Roll back',
  spoken: 'Roll back',
  style: 'danger',
  confirm: {
    title: 'Roll back this operation?',
    text: 'This starts a new operation that restores what was there before this one. Within a day it needs no approval, unless it would raise a share again.',
    yes: 'Roll back',
  },
};
const STATUS: ButtonWords = { id: ACTION.status, label: 'Status', spoken: 'Show the present state of' };

/** Before the first write an abort only ends the operation; after it, everything is put back. */
function abort(view: OperationView): ButtonWords {
  const begun = presentStage(view) !== undefined;
  const label = begun ? 'Abort and roll back' : 'Abort';
  return { id: ACTION.abort, label, spoken: label, style: 'danger' };
}

function button(words: ButtonWords, view: OperationView): Button {
  return {
    type: 'button',
    action_id: words.id,
    text: { type: 'plain_text', text: words.label, emoji: false },
    value: encodeButton({
      workflowId: view.workflowId,
      runId: view.runId,
      opId: view.opId,
      ...(words.candidate === undefined ? {} : { candidate: words.candidate }),
      ...(view.gate ? { gateId: view.gate.gateId, planHash: view.gate.planHash } : {}),
    }),
    accessibility_label: cut(`${words.spoken} ${view.verb} ${shortNameOf(view.target)}, operation ${view.opId}`, 75),
    ...(words.style ? { style: words.style } : {}),
    ...(words.confirm ? { confirm: dialog(words.confirm, words.style) } : {}),
  };
}

function dialog(words: NonNullable<ButtonWords['confirm']>, style: 'primary' | 'danger' | undefined): ConfirmationDialog {
  return {
    title: { type: 'plain_text', text: words.title },
    text: { type: 'plain_text', text: words.text },
    confirm: { type: 'plain_text', text: words.yes },
    deny: { type: 'plain_text', text: 'Not now' },
    ...(style ? { style } : {}),
  };
}
