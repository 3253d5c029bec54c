// A rejection says why; an abort may.
import type { ModalView } from '@slack/types';
import type { OperationView } from '../../domain/lifecycle/operation.ts';
import { withoutUnseen } from '../../domain/words/mrkdwn.ts';
import { capital, said } from '../../domain/words/words.ts';
import { presentStage } from '../ladder.ts';
import { section } from '../message.ts';
import { field, formView, plain } from './parts.ts';

export const REASON_FORM = 'meshops:reject-reason';
const LONGEST_REASON = 300;

export interface ReasonMemory {
  /** The button's value. */
  readonly value: string;
  readonly channelId: string;
  /** Left out (a form that was opened by an earlier build): a rejection. */
  readonly stops?: true;
}

/** `view` is left out where no worker has said in time how the operation is. */
export function reasonForm(memory: ReasonMemory, opId: string, view: OperationView | undefined): ModalView {
  const { title, submit, words } = memory.stops ? abortWords(view) : rejectWords(view);
  const head = view ? `*${capital(view.verb)} ${said(view.target.name, 80)}* (${said(opId)}). ` : `*${said(opId)}*. `;
  const element = { type: 'plain_text_input', action_id: 'text', max_length: LONGEST_REASON, multiline: true } as const;
  const hint = plain('Everybody in the thread reads this.');
  return formView({ callback: REASON_FORM, title, submit, memory }, [
    section(`${head}${words}`),
    memory.stops
      ? field('reason', 'Why?', element, { optional: true, hint })
      : field('reason', 'Why?', { ...element, min_length: 1 }, { hint }),
  ]);
}

function rejectWords(view: OperationView | undefined): { readonly title: string; readonly submit: string; readonly words: string } {
  const inPlace = view && presentStage(view);
  const words = !view
    ? 'The step that is asked for is not taken.'
    : inPlace
      ? `${said(inPlace.label, 80)} stays in place.`
      : 'Nothing has been changed; it ends.';
  return { title: 'Reject', submit: 'Reject', words };
}

function abortWords(view: OperationView | undefined): { readonly title: string; readonly submit: string; readonly words: string } {
  const inPlace = view && presentStage(view);
  if (view && !inPlace) return { title: 'Abort', submit: 'Abort', words: 'Nothing has been changed.' };
  const now = inPlace ? `Now: ${said(inPlace.label, 80)} is in place. ` : '';
  return { title: 'Abort and roll back', submit: 'Roll back', words: `${now}Everything it changed is rolled back. No approval needed.` };
}

/** What was submitted; undefined where it is not what the form sends. */
export function readReason(
  metadata: string,
  values: Readonly<Record<string, Readonly<Record<string, { readonly value?: string | null }>>>>,
): (ReasonMemory & { readonly reason?: string }) | undefined {
  const reason = withoutUnseen(values['reason']?.['text']?.value ?? '')
    .trim()
    .slice(0, LONGEST_REASON);
  let memory: unknown;
  try {
    memory = JSON.parse(metadata);
  } catch {
    return undefined;
  }
  if (typeof memory !== 'object' || memory === null) return undefined;
  const { value, channelId, stops } = memory as Readonly<Record<string, unknown>>;
  if (typeof value !== 'string' || typeof channelId !== 'string' || (stops !== true && !reason)) return undefined;
  return { value, channelId, ...(stops === true && { stops }), ...(reason && { reason }) };
}
