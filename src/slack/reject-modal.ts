// A rejection says why: a modal asks for the reason.
import type { ModalView } from '@slack/types';
import { parseButton } from '../domain/button.ts';

export const REJECT_CALLBACK = 'meshops:reject-reason';
const BLOCK = 'reason';
const ACTION_ID = 'text';
const LONGEST_REASON = 300;

/** What the modal carries from the click to its submission. Ids only; the server's state decides. */
export interface RejectMemory {
  readonly value: string;
  readonly channelId: string;
}

export function rejectModal(memory: RejectMemory): ModalView {
  const opId = parseButton(memory.value)?.opId ?? 'this operation';
  return {
    type: 'modal',
    callback_id: REJECT_CALLBACK,
    private_metadata: JSON.stringify(memory),
    title: { type: 'plain_text', text: 'Reject the change' },
    submit: { type: 'plain_text', text: 'Reject' },
    close: { type: 'plain_text', text: 'Not now' },
    blocks: [
      {
        type: 'input',
        block_id: BLOCK,
        label: { type: 'plain_text', text: `Why should ${opId} not go on?` },
        hint: { type: 'plain_text', text: 'Everybody in the thread reads this. Nothing stays changed by a rejected operation.' },
        element: { type: 'plain_text_input', action_id: ACTION_ID, min_length: 1, max_length: LONGEST_REASON, multiline: true },
      },
    ],
  };
}

/** Reads the submission; undefined when it is not what the modal sends. */
export function readRejection(
  metadata: string,
  values: Readonly<Record<string, Readonly<Record<string, { readonly value?: string | null }>>>>,
): (RejectMemory & { readonly reason: string }) | undefined {
  const reason = values[BLOCK]?.[ACTION_ID]?.value?.trim().slice(0, LONGEST_REASON);
  let memory: unknown;
  try {
    memory = JSON.parse(metadata);
  } catch {
    return undefined;
  }
  if (!reason || typeof memory !== 'object' || memory === null) return undefined;
  const { value, channelId } = memory as Readonly<Record<string, unknown>>;
  return typeof value === 'string' && typeof channelId === 'string' ? { value, channelId, reason } : undefined;
}
