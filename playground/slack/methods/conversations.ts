// conversations.*: reading channels. Ephemeral messages are never among what is read.
import type { Args } from '../args.ts';
import { type Core, shownMessage } from '../core.ts';
import type { Json, Message } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import { channelObject } from '../workspace.ts';
import { type Methods, page } from './method.ts';

function channelOf(core: Core, args: Args): string {
  const channel = core.directory.channel(args.required('channel', 'channel_not_found'));
  if (!channel.members.includes(core.directory.botUserId)) throw new SlackRefusal('not_in_channel');
  return channel.id;
}

function within(args: Args): (message: Message) => boolean {
  const oldest = args.number('oldest', 0);
  const latest = args.number('latest', Number.MAX_SAFE_INTEGER);
  const inclusive = args.flag('inclusive');
  return ({ ts }) =>
    (Number(ts) > oldest || (inclusive && Number(ts) === oldest)) && (Number(ts) < latest || (inclusive && Number(ts) === latest));
}

function listed(core: Core, args: Args, messages: readonly Message[]): Json {
  const { items, response_metadata } = page(messages, args);
  const shown = items.map((message) => shownMessage(core, message, args.flag('include_all_metadata')));
  return { messages: shown, has_more: response_metadata.next_cursor !== '', response_metadata };
}

function history(core: Core, args: Args): Json {
  const roots = core.messages.all(channelOf(core, args)).filter((message) => message.threadTs === undefined);
  return listed(core, args, roots.filter(within(args)).toReversed());
}

function replies(core: Core, args: Args): Json {
  const channel = channelOf(core, args);
  const asked = core.messages.find(channel, args.required('ts', 'thread_not_found'));
  if (!asked) throw new SlackRefusal('thread_not_found');
  const root = asked.threadTs ? core.messages.get(channel, asked.threadTs) : asked;
  return listed(core, args, [root, ...core.messages.replies(channel, root.ts).filter(within(args))]);
}

function info(core: Core, args: Args): Json {
  const channel = core.directory.channel(args.required('channel', 'channel_not_found'));
  return { channel: channelObject(channel, core.directory.botUserId, core.directory.team.id) };
}

function members(core: Core, args: Args): Json {
  const { items, response_metadata } = page(core.directory.channel(args.required('channel', 'channel_not_found')).members, args);
  return { members: items, response_metadata };
}

function list(core: Core, args: Args): Json {
  const wanted = core.directory
    .channels()
    .filter((channel) => channel.im === undefined && !(args.flag('exclude_archived') && channel.isArchived));
  const { items, response_metadata } = page(wanted, args);
  return { channels: items.map((channel) => channelObject(channel, core.directory.botUserId, core.directory.team.id)), response_metadata };
}

function open(core: Core, args: Args): Json {
  const channel = core.directory.openDirect(args.required('users', 'users_list_not_supplied'));
  return { channel: { id: channel.id } };
}

export const conversationMethods: Methods = {
  'conversations.info': { tier: 3, scope: 'channels:read', run: info },
  'conversations.history': { tier: 3, scope: 'channels:history', run: history },
  'conversations.replies': { tier: 3, scope: 'channels:history', run: replies },
  'conversations.members': { tier: 4, scope: 'channels:read', run: members },
  'conversations.list': { tier: 2, scope: 'channels:read', run: list },
  'conversations.open': { tier: 3, scope: 'im:write', run: open },
};
