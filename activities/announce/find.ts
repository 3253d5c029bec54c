import type { SlackMessages, StoredMessage } from '../../src/clients/slack.ts';

/** The first stored message that matches. Bounded by the client's page limit. */
export async function find(
  slack: SlackMessages,
  channelId: string,
  where: { readonly oldest: number; readonly threadTs?: string },
  matches: (message: StoredMessage) => boolean,
): Promise<StoredMessage | undefined> {
  for await (const message of slack.stored(channelId, where)) if (matches(message)) return message;
  return undefined;
}
