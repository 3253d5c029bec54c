// How one act of a person ended.
import type { Delivered } from './delivery.ts';
import type { Message } from './messages.ts';

/** What the person saw. `delivered` is false when Slack refused before the app heard of it. */
export interface Outcome {
  readonly ok: boolean;
  readonly delivered: boolean;
  /** Slack's word: operation_timeout, dispatch_failed, not_on_message, … */
  readonly error: string | undefined;
  /** Milliseconds until the app acknowledged, or until Slack gave up. */
  readonly ackMs: number;
  /** The acknowledgement's body as the app sent it. */
  readonly ack: unknown;
  /** The message that the acknowledgement, or the error, put before the person. */
  readonly shown: Message | undefined;
  /** Modal only: what is wrong, by block_id. */
  readonly errors?: Readonly<Record<string, string>>;
}

export function outcomeOf(delivered: Delivered, shown?: Message): Outcome {
  const { ok, error, ackMs, ack } = delivered;
  return { ok, delivered: true, error, ackMs, ack, shown };
}

/** Slack refused before the app heard of it. */
export function refusedOutcome(error: string, shown?: Message, errors?: Readonly<Record<string, string>>): Outcome {
  return { ok: false, delivered: false, error, ackMs: 0, ack: undefined, shown, ...(errors ? { errors } : {}) };
}
