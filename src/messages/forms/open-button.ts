// Buttons that open a form.
import type { Button } from '@slack/types';
import type { CommandName } from '../../domain/commands/command.ts';
import { plain } from './parts.ts';

export const OPEN_ACTION = 'meshops-open';

export function openButton(command: CommandName, label: string): Button {
  return { type: 'button', action_id: `${OPEN_ACTION}:${command}`, text: plain(label), accessibility_label: label };
}
