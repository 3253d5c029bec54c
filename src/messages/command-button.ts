// Buttons that give a command: their value is its text, and whoever presses one could have typed it.
import type { ActionsBlock, Button, ConfirmationDialog } from '@slack/types';
import { cut } from '../domain/words/words.ts';

/** The action ids begin so; a number follows. */
export const COMMAND_ACTION = 'meshops-place';

/** Slack's limit for a button's value: what is longer cannot be a button. */
const LONGEST_VALUE = 2_000;

export interface CommandButton {
  readonly label: string;
  /** The whole command, with its slash name. */
  readonly command: string;
  /** What a screen reader says instead of the label. */
  readonly spoken?: string;
  /** Asked before it is sent: a question with its target, and what then is. */
  readonly confirm?: { readonly title: string; readonly text: string; readonly yes: string };
}

/** The row of buttons; undefined where there is none that can be pressed. */
export function commandRow(buttons: readonly CommandButton[]): ActionsBlock | undefined {
  const elements = buttons
    .filter(({ command }) => command.length <= LONGEST_VALUE)
    .map(
      ({ label, command, spoken = label, confirm }, index): Button => ({
        type: 'button',
        action_id: `${COMMAND_ACTION}:${index}`,
        text: { type: 'plain_text', text: cut(label, 75), emoji: false },
        value: command,
        accessibility_label: cut(spoken, 75),
        ...(confirm && { confirm: dialog(confirm) }),
      }),
    );
  return elements.length > 0 ? { type: 'actions', elements } : undefined;
}

function dialog({ title, text, yes }: NonNullable<CommandButton['confirm']>): ConfirmationDialog {
  const plain = (words: string, max: number) => ({ type: 'plain_text' as const, text: cut(words, max), emoji: false });
  return { title: plain(title, 100), text: plain(text, 300), confirm: plain(yes, 30), deny: plain('Cancel', 30) };
}
