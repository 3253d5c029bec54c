// chat.*: posting, changing and removing messages.
import type { Args } from '../args.ts';
import { contentOf } from '../compose.ts';
import { type Core, shownMessage, writableChannel } from '../core.ts';
import type { Json, Message } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import type { Methods } from './method.ts';

/** The thread of a new message; a reply to a reply belongs to the same thread. Throws thread_not_found. */
function threadOf(core: Core, args: Args, channel: string): { threadTs?: string } {
  const asked = args.optional('thread_ts');
  if (!asked) return {};
  const parent = core.messages.find(channel, asked);
  if (!parent) throw new SlackRefusal('thread_not_found');
  return { threadTs: parent.threadTs ?? parent.ts };
}

function postMessage(core: Core, args: Args): Json {
  const channel = writableChannel(core, args.required('channel', 'channel_not_found'));
  const draft = { ...contentOf(core, args), ...threadOf(core, args, channel.id), channel: channel.id };
  core.rate.post(channel.id);
  const message = core.messages.post({ ...draft, user: core.directory.botUserId, botId: core.directory.botId });
  core.log.posted(message);
  core.notifications.add(message);
  return { channel: channel.id, ts: message.ts, message: shownMessage(core, message, true) };
}

function postEphemeral(core: Core, args: Args): Json {
  const channel = writableChannel(core, args.required('channel', 'channel_not_found'));
  const user = core.directory.user(args.required('user'));
  if (!channel.members.includes(user.id)) throw new SlackRefusal('user_not_in_channel');
  const draft = { ...contentOf(core, args), ...threadOf(core, args, channel.id), channel: channel.id, onlyFor: user.id };
  core.rate.post(channel.id);
  const message = core.messages.post({ ...draft, user: core.directory.botUserId, botId: core.directory.botId });
  return { message_ts: message.ts };
}

/** A message of the bot itself; ephemeral ones cannot be found here, as in Slack. */
function ownMessage(core: Core, args: Args, code: string): Message {
  const channel = core.directory.channel(args.required('channel', 'channel_not_found'));
  const message = core.messages.get(channel.id, args.required('ts'));
  if (message.botId !== core.directory.botId) throw new SlackRefusal(code);
  return message;
}

function update(core: Core, args: Args): Json {
  const message = ownMessage(core, args, 'cant_update_message');
  // Text without blocks removes the blocks; blocks without text leave no fallback text.
  const { blocks: _oldBlocks, metadata: oldMetadata, ...rest } = message;
  const content = contentOf(core, args);
  const metadata = content.metadata ?? oldMetadata;
  const edited = { user: core.directory.botUserId, ts: core.messages.nextTs() };
  const updated = core.messages.put({ ...rest, ...content, ...(metadata ? { metadata } : {}), edited });
  return { channel: message.channel, ts: message.ts, text: updated.text, message: shownMessage(core, updated) };
}

function remove(core: Core, args: Args): Json {
  const message = ownMessage(core, args, 'cant_delete_message');
  core.messages.remove(message);
  return { channel: message.channel, ts: message.ts };
}

function getPermalink(core: Core, args: Args): Json {
  const channel = core.directory.channel(args.required('channel', 'channel_not_found'));
  const message = core.messages.get(channel.id, args.required('message_ts'));
  const thread = message.threadTs ? `?thread_ts=${message.threadTs}&cid=${channel.id}` : '';
  const link = `https://${core.directory.team.domain}.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
  return { channel: channel.id, permalink: link };
}

export const chatMethods: Methods = {
  'chat.postMessage': { tier: 'post', scope: 'chat:write', run: postMessage },
  'chat.postEphemeral': { tier: 4, scope: 'chat:write', run: postEphemeral },
  'chat.update': { tier: 3, scope: 'chat:write', run: update },
  'chat.delete': { tier: 3, scope: 'chat:write', run: remove },
  'chat.getPermalink': { tier: 'none', run: getPermalink },
};
