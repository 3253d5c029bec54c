// Messages of all channels, ephemeral ones apart: those are seen by one person and never part of any history.
import type { Changes } from './changes.ts';
import { timestamps } from './ids.ts';
import { SlackRefusal } from './refusal.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Reaction {
  readonly name: string;
  readonly users: readonly string[];
}

export interface Message {
  readonly ts: string;
  readonly channel: string;
  readonly user: string;
  readonly text: string;
  readonly blocks?: readonly Json[];
  readonly threadTs?: string;
  readonly botId?: string;
  readonly metadata?: Json;
  readonly files?: readonly Json[];
  readonly reactions?: readonly Reaction[];
  readonly edited?: { readonly user: string; readonly ts: string };
  /** Set on ephemeral messages: the only person who sees it. */
  readonly onlyFor?: string;
}

export type Draft = Omit<Message, 'ts' | 'reactions' | 'edited'>;

/** Oldest messages are forgotten beyond this many per channel, so that a long run does not grow without bound. */
const keptPerChannel = 5_000;

export class Messages {
  readonly nextTs: () => string;
  readonly #changes: Changes;
  readonly #byChannel = new Map<string, Map<string, Message>>();
  readonly #ephemeral = new Map<string, Message>();

  constructor(changes: Changes, now: () => number) {
    this.#changes = changes;
    this.nextTs = timestamps(now);
  }

  /** Stores a message or, when `onlyFor` is set, an ephemeral one. */
  post(draft: Draft): Message {
    const message: Message = { ...draft, ts: this.nextTs() };
    const shelf = this.#shelf(message);
    shelf.set(message.ts, message);
    const oldest = shelf.size > keptPerChannel ? shelf.keys().next().value : undefined;
    if (oldest !== undefined) shelf.delete(oldest);
    this.#changes.announce({ kind: 'message', message });
    const root = message.threadTs === undefined || message.onlyFor ? undefined : this.find(message.channel, message.threadTs);
    if (root) this.#changes.announce({ kind: 'message', message: root });
    return message;
  }

  /** Replaces a stored message by a changed copy. */
  put(message: Message): Message {
    this.#shelf(message).set(message.ts, message);
    this.#changes.announce({ kind: 'message', message });
    return message;
  }

  remove(message: Message): void {
    if (this.#shelf(message).delete(message.ts)) this.#changes.announce({ kind: 'message-gone', message });
  }

  find(channel: string, ts: string): Message | undefined {
    return this.#byChannel.get(channel)?.get(ts);
  }

  /** The message or a refusal with Slack's own code. */
  get(channel: string, ts: string): Message {
    const message = this.find(channel, ts);
    if (!message) throw new SlackRefusal('message_not_found');
    return message;
  }

  findEphemeral(user: string, ts: string): Message | undefined {
    const message = this.#ephemeral.get(ts);
    return message?.onlyFor === user ? message : undefined;
  }

  ephemeralsOf(user: string): readonly Message[] {
    return [...this.#ephemeral.values()].filter((message) => message.onlyFor === user);
  }

  /** All messages of a channel with its threads, oldest first. */
  all(channel: string): readonly Message[] {
    return [...(this.#byChannel.get(channel)?.values() ?? [])];
  }

  /** Replies of a thread without its root, oldest first. */
  replies(channel: string, threadTs: string): readonly Message[] {
    return this.all(channel).filter((message) => message.threadTs === threadTs && message.ts !== threadTs);
  }

  #shelf(message: { channel: string; onlyFor?: string }): Map<string, Message> {
    if (message.onlyFor !== undefined) return this.#ephemeral;
    const shelf = this.#byChannel.get(message.channel) ?? new Map<string, Message>();
    this.#byChannel.set(message.channel, shelf);
    return shelf;
  }
}

/** Slack's message object, as conversations.history and interaction payloads carry it. */
export function messageObject(
  message: Message,
  replies: readonly Message[],
  withMetadata: boolean,
  ids: { team: string; app: string },
): Json {
  const isRoot = replies.length > 0;
  return {
    type: 'message',
    user: message.user,
    ts: message.ts,
    text: message.text,
    team: ids.team,
    ...(message.botId ? { bot_id: message.botId, app_id: ids.app } : {}),
    ...(message.blocks ? { blocks: message.blocks } : {}),
    ...(message.threadTs || isRoot ? { thread_ts: message.threadTs ?? message.ts } : {}),
    ...(isRoot
      ? { reply_count: replies.length, reply_users: [...new Set(replies.map((reply) => reply.user))], latest_reply: replies.at(-1)?.ts }
      : {}),
    ...(message.edited ? { edited: message.edited } : {}),
    ...(message.files ? { files: message.files } : {}),
    ...(message.reactions?.length ? { reactions: message.reactions.map((one) => ({ ...one, count: one.users.length })) } : {}),
    ...(withMetadata && message.metadata ? { metadata: message.metadata } : {}),
  };
}
