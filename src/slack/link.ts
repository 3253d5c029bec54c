import type { WebClient } from '@slack/web-api';
import type { MessageRef } from '../domain/lifecycle/operation.ts';

const LINK_MS = 400;

/** A link to a message, or undefined when Slack does not give one in time: an answer must not wait for it. */
export async function permalink(web: WebClient, ref: MessageRef | undefined): Promise<string | undefined> {
  if (!ref) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), LINK_MS);
  });
  try {
    const asked = web.chat.getPermalink({ channel: ref.channelId, message_ts: ref.ts });
    return await Promise.race([asked.then(({ permalink: link }) => (link && /^https?:\/\/[^\s|>]+$/.test(link) ? link : undefined)), late]);
  } catch {
    // The answer is complete without a link.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
