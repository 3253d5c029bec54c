// What one person is told, and only that person.
import type { KnownBlock } from '@slack/types';
import { escapeMrkdwn } from '../domain/words/mrkdwn.ts';
import { section } from '../messages/message.ts';

export { section };

export interface Answer {
  /** Always there: notifications and screen readers read it. */
  readonly text: string;
  readonly blocks?: readonly KnownBlock[];
  /** The channel has just read it, so that the person needs no copy; kept for a replay all the same. */
  readonly isPosted?: true;
}

export function say(text: string, ...more: readonly KnownBlock[]): Answer {
  return { text, blocks: [section(text), ...more] };
}

/** One of our own sentences (it may quote foreign words, in backticks of ours), harmless in Slack's mrkdwn. */
export function sayPlain(words: string): Answer {
  return say(escapeMrkdwn(words.length > 1_500 ? `${words.slice(0, 1_499)}…` : words));
}

/** The form of an ack or of a message to a response_url. */
export function ephemeral(answer: Answer): { response_type: 'ephemeral'; replace_original: false; text: string; blocks?: KnownBlock[] } {
  return {
    response_type: 'ephemeral',
    replace_original: false,
    text: answer.text,
    ...(answer.blocks ? { blocks: [...answer.blocks] } : {}),
  };
}
