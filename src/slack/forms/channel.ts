// A form that was not opened in a channel asks in which one its command is given.
import type { KnownBlock } from '@slack/types';
import { field } from '../../messages/forms/parts.ts';
import type { BotDeps } from '../deps.ts';
import { channelIn, type FormMemory, type Values } from './parts.ts';

export function channelField(deps: BotDeps, memory: FormMemory, values: Values | undefined): KnownBlock | undefined {
  if (memory.channelId !== undefined) return undefined;
  const initial = channelIn(values) ?? usualChannel(deps);
  return field('channel', 'Channel', {
    type: 'conversations_select',
    action_id: 'meshops-form:channel',
    filter: { include: ['public', 'private'], exclude_bot_users: true },
    ...(initial !== undefined && { initial_conversation: initial }),
  });
}

/** The first channel that the configuration names by itself. */
export function usualChannel({ config }: BotDeps): string | undefined {
  return config().channels.find(({ id }) => id !== '*')?.id;
}
