// What the app says back: in its acknowledgement, or later through a response URL.
import { Args } from './args.ts';
import { isRecord } from './block-kit/checks.ts';
import { contentOf } from './compose.ts';
import type { Core } from './core.ts';
import type { Message } from './messages.ts';
import { SlackRefusal } from './refusal.ts';
import type { ResponseTicket } from './tickets.ts';

type Place = Pick<ResponseTicket, 'user' | 'channel' | 'threadTs' | 'source'>;

/** An ephemeral message from Slack itself, not from the app. */
export function tell(core: Core, place: { user: string; channel: string; threadTs?: string | undefined }, text: string): Message {
  const thread = place.threadTs ? { threadTs: place.threadTs } : {};
  return core.messages.post({ channel: place.channel, user: 'USLACKBOT', text, onlyFor: place.user, ...thread });
}

function original(core: Core, place: Place): Message {
  const source = place.source;
  const present =
    source && (source.onlyFor ? core.messages.findEphemeral(source.onlyFor, source.ts) : core.messages.find(source.channel, source.ts));
  if (!present) throw new SlackRefusal('message_not_found');
  return present;
}

/**
 * Shows an answer where it belongs and returns it: a new ephemeral or public message, or the original replaced.
 * Returns undefined when there is nothing to show. Throws SlackRefusal for content Slack does not take.
 */
export function showAnswer(core: Core, place: Place, answer: unknown): Message | undefined {
  const body = typeof answer === 'string' ? { text: answer } : answer;
  if (!isRecord(body)) throw new SlackRefusal('invalid_payload');
  if (body['delete_original'] === true) {
    core.messages.remove(original(core, place));
    return undefined;
  }
  const content = contentOf(core, new Args(body));
  if (body['replace_original'] === true) {
    const { blocks: _old, ...rest } = original(core, place);
    return core.messages.put({ ...rest, ...content, edited: { user: core.directory.botUserId, ts: core.messages.nextTs() } });
  }
  const asked = typeof body['thread_ts'] === 'string' ? body['thread_ts'] : place.threadTs;
  const draft = {
    ...content,
    channel: place.channel,
    user: core.directory.botUserId,
    botId: core.directory.botId,
    ...(asked ? { threadTs: asked } : {}),
  };
  const isPublic = body['response_type'] === 'in_channel';
  const message = core.messages.post(isPublic ? draft : { ...draft, onlyFor: place.user });
  if (isPublic) core.log.posted(message);
  return message;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One POST to a response URL. 404 with used_url or expired_url when it is spent, 400 for content Slack refuses. */
export function answerResponseUrl(core: Core, id: string, body: unknown, startedAt: number): HttpAnswer {
  const log = (ok: boolean, refusal?: string): void =>
    core.log.add({
      direction: 'in',
      method: 'response_url',
      ok,
      ms: core.now() - startedAt,
      summary: isRecord(body) ? Object.keys(body).join(' ') : '',
      ...(refusal ? { refusal } : {}),
    });
  try {
    showAnswer(core, core.tickets.respond(id), body);
    log(true);
    return { status: 200, body: { ok: true } };
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    log(false, error.message);
    const spent = error.code === 'used_url' || error.code === 'expired_url';
    return { status: spent ? 404 : 400, body: { ok: false, error: error.code, response_metadata: { messages: error.messages } } };
  }
}
