// Which commands have a form, and how it is opened.
import type { CommandName } from '../../domain/commands/command.ts';
import type { Target } from '../../domain/target.ts';
import { OPEN_ACTION } from '../../messages/forms/open-button.ts';
import type { BotDeps } from '../deps.ts';
import { type Refused, refusal } from '../refusals.ts';
import { CANARY } from './canary.ts';
import { FREEZE } from './freeze.ts';
import type { Filler, Form, FormMemory } from './parts.ts';
import { POLICY } from './policy.ts';

export { OPEN_ACTION };

const FORMS: readonly Form[] = [CANARY, POLICY, FREEZE];

export function formOf(callback: string | undefined): Form | undefined {
  return FORMS.find((form) => form.callback === callback);
}

export function memoryIn(metadata: string | undefined): FormMemory | undefined {
  try {
    const memory: unknown = JSON.parse(metadata ?? '');
    if (typeof memory !== 'object' || memory === null) return undefined;
    const { channelId } = memory as Readonly<Record<string, unknown>>;
    return typeof channelId === 'string' ? { channelId } : {};
  } catch {
    return undefined;
  }
}

/** Opens the command's form. Returns why it could not be opened. */
export async function openForm(
  deps: BotDeps,
  filler: Filler,
  {
    triggerId,
    command,
    memory,
    target,
  }: { readonly triggerId: string; readonly command: CommandName; readonly memory: FormMemory; readonly target?: Target },
): Promise<Refused | undefined> {
  const form = FORMS.find((one) => one.command === command);
  if (!form) return refusal('ForgedButton');
  const forbidden = filler.rule.refuse(command);
  if (forbidden) return forbidden;
  try {
    const view = await form.view(deps, filler, { memory, ...(target && { target }) });
    await deps.web.views.open({ trigger_id: triggerId, view });
    return undefined;
  } catch (error) {
    deps.log.warn({ err: error, command }, 'a form could not be opened');
    return refusal('NoForm');
  }
}
