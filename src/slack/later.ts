import { type Answer, ephemeral } from './answer.ts';
import type { BotDeps } from './deps.ts';

/** Where a person can be told something after the answer to the request itself has gone. */
export interface ReplyTo {
  readonly channelId: string;
  readonly userId: string;
  /** Shown in this thread. */
  readonly threadTs?: string;
  /** Said in a message of their own: they are in Home, where nothing of a channel is seen. */
  readonly direct?: true;
  /** Works without membership of the bot in the channel, for 30 minutes and 5 messages. */
  readonly respond?: (message: ReturnType<typeof ephemeral>) => Promise<unknown>;
}

/** Tells one person something, by the response URL or, when that is used up, in the channel. A failure is logged: there is no third way. */
export async function tell(deps: Pick<BotDeps, 'web' | 'log'>, to: ReplyTo, answer: Answer): Promise<void> {
  if (to.respond) {
    try {
      await to.respond(ephemeral(answer));
      return;
    } catch (error) {
      deps.log.warn({ err: error }, 'the response URL did not take a message; it is sent to the channel instead');
    }
  }
  try {
    if (to.direct) {
      await deps.web.chat.postMessage({ channel: to.userId, text: answer.text, ...(answer.blocks ? { blocks: [...answer.blocks] } : {}) });
      return;
    }
    await deps.web.chat.postEphemeral({
      channel: to.channelId,
      user: to.userId,
      text: answer.text,
      ...(to.threadTs === undefined ? {} : { thread_ts: to.threadTs }),
      ...(answer.blocks ? { blocks: [...answer.blocks] } : {}),
    });
  } catch (error) {
    deps.log.error({ err: error, channelId: to.channelId }, 'a person could not be told what came of a request');
  }
}
