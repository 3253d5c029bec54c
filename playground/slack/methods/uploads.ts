// files.*: the two-step upload that replaced files.upload.
import type { Args } from '../args.ts';
import { isRecord } from '../block-kit/checks.ts';
import { contentOf } from '../compose.ts';
import { type Core, writableChannel } from '../core.ts';
import { fileObject } from '../files.ts';
import type { Json } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import type { Methods } from './method.ts';

function getUploadUrl(core: Core, args: Args): Json {
  const file = core.files.reserve({
    name: args.required('filename'),
    length: args.number('length', 0),
    altText: args.optional('alt_text') ?? args.optional('alt_txt'),
    user: core.directory.botUserId,
  });
  return { upload_url: `${core.apiOrigin()}/upload/v1/${file.uploadKey}`, file_id: file.id };
}

function complete(core: Core, args: Args): Json {
  const asked = args.json('files');
  const wanted = Array.isArray(asked) ? asked.filter(isRecord) : [];
  if (wanted.length === 0) throw new SlackRefusal('invalid_arguments', { messages: ['[ERROR] missing required field: files'] });
  const channelId = args.optional('channel_id');
  const channel = channelId ? writableChannel(core, channelId) : undefined;
  const threadTs = args.optional('thread_ts');
  const parent = channel && threadTs ? core.messages.find(channel.id, threadTs) : undefined;
  if (channel && threadTs && !parent) throw new SlackRefusal('thread_not_found');
  if (channel) core.rate.post(channel.id);
  const done = wanted.map((one) => core.files.complete(String(one['id']), typeof one['title'] === 'string' ? one['title'] : undefined));
  const files = done.map((file) => fileObject(file, core.apiOrigin()));
  if (channel) {
    const content = args.has('blocks') ? contentOf(core, args) : { text: args.optional('initial_comment') ?? '' };
    const thread = parent ? { threadTs: parent.threadTs ?? parent.ts } : {};
    core.messages.post({ ...content, ...thread, channel: channel.id, user: core.directory.botUserId, botId: core.directory.botId, files });
  }
  return { files };
}

function info(core: Core, args: Args): Json {
  const file = core.files.find(args.required('file', 'file_not_found'));
  if (!file?.completed) throw new SlackRefusal('file_not_found');
  return { file: fileObject(file, core.apiOrigin()) };
}

export const uploadMethods: Methods = {
  'files.getUploadURLExternal': { tier: 4, scope: 'files:write', run: getUploadUrl },
  'files.completeUploadExternal': { tier: 4, scope: 'files:write', run: complete },
  'files.info': { tier: 4, scope: 'files:read', run: info },
};
