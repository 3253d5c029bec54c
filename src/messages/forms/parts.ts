// The pieces that forms are made of.
import type { InputBlock, KnownBlock, ModalView, PlainTextElement, PlainTextOption } from '@slack/types';
import { cut } from '../../domain/words/words.ts';
import { section } from '../message.ts';

export function plain(text: string): PlainTextElement {
  return { type: 'plain_text', text, emoji: false };
}

/** What may be chosen. Slack takes 75 characters of words and 150 of a value. */
export function option(text: string, value: string, description?: string): PlainTextOption {
  return { text: plain(cut(text, 75)), value, ...(description === undefined ? {} : { description: plain(cut(description, 75)) }) };
}
export const LONGEST_OPTION = 150;

/** A field: its block and its element have the same name, so that what was entered is found by it. */
export function field(
  name: string,
  label: string,
  element: InputBlock['element'],
  more: Pick<Partial<InputBlock>, 'optional' | 'hint' | 'dispatch_action'> = {},
): InputBlock {
  return { type: 'input', block_id: name, label: plain(label), element, ...more };
}

/** What a form says about what was entered so far. */
export function preview(lines: readonly string[]): KnownBlock {
  return { ...section(lines.join('\n')), block_id: 'preview' };
}

/** What a form carries from its opening to its submission. Ids only: the server's state decides. */
export function formView(
  parts: { readonly callback: string; readonly title: string; readonly submit: string; readonly memory: object },
  blocks: readonly KnownBlock[],
): ModalView {
  return {
    type: 'modal',
    callback_id: parts.callback,
    private_metadata: JSON.stringify(parts.memory),
    title: plain(parts.title),
    submit: plain(parts.submit),
    close: plain('Cancel'),
    blocks: [...blocks],
  };
}
