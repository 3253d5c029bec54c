// What a person reads of a message: markup taken off, dates as they are shown.
import type { KnownBlock } from '@slack/types';

/** Links by their label, dates by the time that stands for them, entities as signs. */
export function seen(text: string): string {
  return text
    .replaceAll(/<!date\^\d+\^([^|>]*)\|[^>]*>/g, (_, format: string) => (format.includes('date') ? 'Nov 23 13:00' : '13:00'))
    .replaceAll(/<!subteam\^[^>]*>/g, '@mesh-reviewers')
    .replaceAll(/<@[^>]*>/g, '@Operator')
    .replaceAll(/<[^|>]*\|([^>]*)>/g, '$1')
    .replaceAll(/<!?([^>]*)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/[*`]/g, '');
}

/** The texts of a message's blocks, without buttons. */
export function textsOf(blocks: readonly KnownBlock[]): readonly string[] {
  return blocks.flatMap((block) => {
    switch (block.type) {
      case 'header':
        return [block.text.text];
      case 'section':
        return [...(block.text ? [block.text.text] : []), ...(block.fields ?? []).map(({ text }) => text)];
      case 'context':
        return block.elements.flatMap((element) => ('text' in element && typeof element.text === 'string' ? [element.text] : []));
      default:
        return [];
    }
  });
}

export interface Pressable {
  readonly label: string;
  readonly spoken: string;
  readonly style: string | undefined;
  readonly id: string;
  readonly confirm: { readonly title: string; readonly text: string; readonly yes: string; readonly no: string } | undefined;
}

export function buttonsOf(blocks: readonly KnownBlock[]): readonly Pressable[] {
  return blocks.flatMap((block) =>
    block.type !== 'actions'
      ? []
      : block.elements.flatMap((element) =>
          element.type !== 'button'
            ? []
            : [
                {
                  label: element.text.text,
                  spoken: element.accessibility_label ?? '',
                  style: element.style,
                  id: element.action_id ?? '',
                  confirm: element.confirm && {
                    title: element.confirm.title?.text ?? '',
                    text: element.confirm.text.text,
                    yes: element.confirm.confirm?.text ?? '',
                    no: element.confirm.deny?.text ?? '',
                  },
                },
              ],
        ),
  );
}

/** Sentences in running text; a list's lines are sentences of their own, code is one word. */
export function sentencesOf(text: string): readonly string[] {
  return text
    .replaceAll(/```[\s\S]*?```/g, '')
    .replaceAll(/`[^`]*`/g, 'code')
    .split(/\n|(?<=[.!?:;])\s+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

export const wordsIn = (sentence: string): number => sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

/** Words that messages.md section 4 bans; code is not prose. */
export const BANNED =
  /\b(mend|stands|told|dearest|whoever|taken back|put back|undo|restored?|in force|meant to be|harmful|cohort|candidate|ladder|rung|soak|blind|fuse|token|hand|somebody|nobody decides|is being)\b|\(s\)/i;

export const prose = (text: string): string => text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`]*`/g, '');
