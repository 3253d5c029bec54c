import { setTimeout as sleepFor } from 'node:timers/promises';
import { type SlackMessages, SlackRateLimited } from './slack.ts';

/** A wait that Slack asks for and that is longer is told to the caller instead. */
const LONGEST_WAIT_MS = 15_000;
const TRIES = 4;

/**
 * The same client, which waits as Slack asks and calls again where it was refused for the rate: nothing was done then, so nothing is said twice.
 * For the bot, whose answers nobody repeats; the worker's calls are repeated by Temporal. Rejects with SlackRateLimited after 4 tries, or
 * where the wait is over 15 s.
 */
export function patient(client: SlackMessages, sleep: (ms: number) => Promise<unknown> = (ms) => sleepFor(ms)): SlackMessages {
  const kept = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await call();
      } catch (error) {
        const mayWait = error instanceof SlackRateLimited && error.retryAfterMs <= LONGEST_WAIT_MS && tried < TRIES;
        if (!mayWait) throw error;
        await sleep(error.retryAfterMs);
      }
    }
  };
  return {
    ...client,
    post: (channelId, message, threadTs) => kept(() => client.post(channelId, message, threadTs)),
    update: (channelId, ts, message) => kept(() => client.update(channelId, ts, message)),
    upload: (file) => kept(() => client.upload(file)),
  };
}
