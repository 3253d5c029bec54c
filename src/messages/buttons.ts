// Which buttons an operation's message carries in which phase. Their values are ids only; the server's state decides what a click means.

import type { ActionsBlock, Button, ConfirmationDialog } from '@slack/types';
import type { Doubt } from '../domain/judge/verdict.ts';
import { ACTION, type ActionId, CANDIDATES, encodeButton } from '../domain/lifecycle/button.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { shortNameOf } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import { cut } from '../domain/words/words.ts';
import { headline } from './headline.ts';
import { presentStage } from './ladder.ts';

interface ButtonWords {
  readonly id: ActionId;
  readonly label: string;
  readonly style?: 'primary' | 'danger';
  /** `title`: the question, of which `{}` is the target's name. */
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
      if (view.gate.kind === 'drift') return [KEEP_THEIRS, WRITE_OURS, STOP];
      if (view.gate.kind === 'undo') return [ROLL_BACK_ANYWAY];
      return [KEEP_WATCHING, view.gate.accepts ? acceptOf(view.gate.accepts) : CONTINUE, ROLL_BACK];
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
    return [{ id, label: cut(`${target.namespace}/${name}`, 75), candidate: name }];
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

const APPROVE: ButtonWords = { id: ACTION.approve, label: 'Approve', style: 'primary' };
const REJECT: ButtonWords = { id: ACTION.reject, label: 'Reject' };
const KEEP_WATCHING: ButtonWords = { id: ACTION.extend, label: 'Keep watching' };
const CONTINUE: ButtonWords = {
  id: ACTION.continue,
  label: 'Continue',
  confirm: {
    title: 'Continue {} without proof?',
    text: 'The watched traffic did not show that this step is healthy. Continuing needs an approver and goes on to the next step.',
    yes: 'Continue',
  },
};
/** Accepting names what is accepted: the same groups as the message. */
function acceptOf(accepts: readonly Doubt[]): ButtonWords {
  const named = accepts.map(({ words }) => words).join('; ');
  return {
    id: ACTION.continue,
    label: 'Accept and continue',
    confirm: {
      title: 'Accept these drops of {}?',
      text: cut(`Needs an approver who did not ask for the change. Accepted: ${named}. More than that is asked again.`, 300),
      yes: 'Accept and continue',
    },
  };
}

const ROLL_BACK: ButtonWords = {
  id: ACTION.rollback,
  label: 'Roll back',
  style: 'danger',
  confirm: { title: 'Roll back {}?', text: 'Everything this operation changed is rolled back.', yes: 'Roll back' },
};
/** The form that an abort opens asks once more. */
const ROLL_BACK_LOST: ButtonWords = { id: ACTION.abort, label: 'Roll back', style: 'danger' };
const KEEP: ButtonWords = {
  id: ACTION.keep,
  label: 'Keep it',
  confirm: {
    title: 'Keep {} as it is?',
    text: 'Needs an approver who did not ask for the change. Nothing is written: what is in place stays, and can be rolled back later.',
    yes: 'Keep it',
  },
};
const ROLL_BACK_ANYWAY: ButtonWords = {
  id: ACTION.rollback,
  label: 'Roll back anyway',
  style: 'danger',
  confirm: {
    title: 'Roll back {} anyway?',
    text: 'Requests go to a Service without a ready endpoint: they fail until it has one.',
    yes: 'Roll back',
  },
};
const KEEP_THEIRS: ButtonWords = {
  id: ACTION.adopt,
  label: 'Keep theirs',
  confirm: {
    title: 'Keep what was found on {}?',
    text: 'This operation goes on from what someone else wrote. A rollback goes back to what was before the operation.',
    yes: 'Keep theirs',
  },
};
const WRITE_OURS: ButtonWords = {
  id: ACTION.restore,
  label: 'Write ours',
  confirm: {
    title: 'Write our values on {} again?',
    text: 'The values of this step replace what someone else wrote into the same fields. Other fields are not touched.',
    yes: 'Write ours',
  },
};
const STOP: ButtonWords = {
  id: ACTION.leave,
  label: 'Stop',
  style: 'danger',
  confirm: {
    title: 'Stop the operation on {}?',
    text: "The operation ends. Only the weight of its own Service, or its own policy, goes back; other people's changes are kept.",
    yes: 'Stop',
  },
};
const HISTORY: ButtonWords = { id: ACTION.history, label: 'History' };
const NEXT_ROLLBACK: ButtonWords = {
  id: ACTION.nextRollback,
  label: 'Roll back',
  style: 'danger',
  confirm: {
    title: 'Roll back {}?',
    text: 'A new operation goes back to what was there before this one. Within a day it needs no approval, unless it would raise a share again.',
    yes: 'Roll back',
  },
};
const STATUS: ButtonWords = { id: ACTION.status, label: 'Status' };

/** Before the first write an abort only ends the operation; after it, everything is rolled back. */
function abort(view: OperationView): ButtonWords {
  const begun = presentStage(view) !== undefined;
  return begun ? { id: ACTION.abort, label: 'Abort and roll back', style: 'danger' } : { id: ACTION.abort, label: 'Abort' };
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
    // The label alone does not name the operation.
    accessibility_label: cut(`${words.label}: ${headline(view)}`, 75),
    ...(words.style ? { style: words.style } : {}),
    ...(words.confirm ? { confirm: dialog(words.confirm, view, words.style) } : {}),
  };
}

/** A question with its target. */
function dialog(
  { title, text, yes }: NonNullable<ButtonWords['confirm']>,
  { target }: OperationView,
  style: 'primary' | 'danger' | undefined,
): ConfirmationDialog {
  const room = 100 - title.length;
  return {
    title: { type: 'plain_text', text: title.replace('{}', cut(shortNameOf(target), room)) },
    text: { type: 'plain_text', text },
    confirm: { type: 'plain_text', text: yes },
    deny: { type: 'plain_text', text: 'Cancel' },
    ...(style ? { style } : {}),
  };
}
