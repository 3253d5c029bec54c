import type { KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import {
  type SlackMessages,
  SlackRateLimited,
  SlackRefused,
  type SlackText,
  SlackUnclear,
  type StoredMessage,
} from '../../../src/clients/slack.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Faults } from './faults.ts';
import { CHANNEL, PEOPLE, type Person, REVIEWERS, TEAM } from './people.ts';

export interface Message {
  readonly ts: string;
  readonly threadTs: string | undefined;
  text: SlackText;
  readonly postedAt: number;
  editedAt: number;
}

/** A button as it was shown at some time. */
export interface ShownButton {
  readonly ts: string;
  readonly action: string;
  readonly value: string;
  /** When it was shown for the last time; still there where `isThere`. */
  readonly shownAt: number;
  readonly isThere: boolean;
}

const CALL_MS = 60;
const DEADLINE_MS = 10_000;

/** One workspace with one channel: what stands there, and every button that ever stood there. */
export class SlackModel {
  readonly messages = new Map<string, Message>();
  /** What was told to one person alone. */
  readonly whispers: { readonly at: number; readonly userId: string; readonly text: string }[] = [];
  readonly #buttons = new Map<string, Omit<ShownButton, 'isThere'>>();
  readonly #time: VirtualTime;
  readonly #faults: Faults;
  #ids = 0;
  calls = 0;

  constructor(time: VirtualTime, faults: Faults) {
    this.#time = time;
    this.#faults = faults;
  }

  /** Every button that was ever shown, the newest last. */
  get buttons(): readonly ShownButton[] {
    return [...this.#buttons.values()].map((button) => ({ ...button, isThere: this.#isThere(button) }));
  }

  #isThere({ ts, action, value }: Omit<ShownButton, 'isThere'>): boolean {
    return elementsOf(this.messages.get(ts)?.text.blocks).some((each) => each.action === action && each.value === value);
  }

  #call<T>(work: () => T): Promise<T> {
    this.calls += 1;
    const fail = (how: 'down' | 'error' | 'hang'): Error =>
      how === 'error' ? new SlackRateLimited(30_000) : new SlackUnclear('Slack does not answer');
    return this.#faults.call('slack', work, fail, { ms: CALL_MS, deadlineMs: DEADLINE_MS });
  }

  #show(ts: string, text: SlackText): void {
    for (const { action, value } of elementsOf(text.blocks)) {
      const key = `${ts} ${action} ${value}`;
      this.#buttons.delete(key);
      this.#buttons.set(key, { ts, action, value, shownAt: this.#time.now });
    }
  }

  post(text: SlackText, threadTs?: string): string {
    const ts = `${(this.#time.now / 1_000).toFixed(3)}${String(++this.#ids % 1_000).padStart(3, '0')}`;
    const now = this.#time.now;
    this.messages.set(ts, { ts, threadTs, text, postedAt: now, editedAt: now });
    this.#show(ts, text);
    return ts;
  }

  update(ts: string, text: SlackText): void {
    const message = this.messages.get(ts);
    if (!message) throw new SlackRefused('chat.update', 'message_not_found', []);
    message.text = text;
    message.editedAt = this.#time.now;
    this.#show(ts, text);
  }

  /** The Web API as the worker uses it. */
  forWorker(): SlackMessages {
    const stored = (message: Message): StoredMessage => {
      const { metadata } = message.text;
      const event = metadata && { type: metadata.event_type, payload: metadata.event_payload as Readonly<Record<string, unknown>> };
      return { ts: message.ts, files: [], ...(event && { event }) };
    };
    const list = ({ oldest, threadTs }: { oldest: number; threadTs?: string }): StoredMessage[] =>
      [...this.messages.values()].filter((each) => Number(each.ts) >= oldest && each.threadTs === threadTs).map(stored);
    const call = <T>(work: () => T): Promise<T> => this.#call(work);
    return {
      post: (_channelId, message, threadTs) => call(() => this.post(message, threadTs)),
      update: (_channelId, ts, message) => call(() => this.update(ts, message)),
      read: (_channelId, ts) => {
        const find = (): StoredMessage | undefined => {
          const found = this.messages.get(ts);
          return found && stored(found);
        };
        return call(find);
      },
      async *stored(_channelId, where) {
        yield* await call(() => list(where));
      },
      upload: () => call(() => undefined),
    };
  }

  /** The Web API as the bot uses it: the few methods that it calls. */
  forBot(): WebClient {
    const web = {
      conversations: { info: () => this.#call(() => ({ ok: true, channel: { id: CHANNEL, is_ext_shared: false } })) },
      users: {
        info: ({ user }: { user: string }) => this.#call(() => ({ ok: true, user: accountOf(user) })),
        lookupByEmail: ({ email }: { email: string }) => this.#call(() => ({ ok: true, user: accountOf(email) })),
      },
      usergroups: { users: { list: () => this.#call(() => ({ ok: true, users: REVIEWERS.map(({ userId }) => userId) })) } },
      chat: {
        getPermalink: () => this.#call(() => ({ ok: true, permalink: 'https://example.slack.com/archives/C0MESH/p1' })),
        postMessage: (message: { text: string; blocks?: KnownBlock[]; thread_ts?: string }) =>
          this.#call(() => ({ ok: true, ts: this.post({ text: message.text, blocks: message.blocks ?? [] }, message.thread_ts) })),
        postEphemeral: ({ user, text }: { user: string; text: string }) => this.#call(() => this.whisper(user, text)),
        update: ({ ts, text, blocks }: { ts: string; text: string; blocks?: KnownBlock[] }) =>
          this.#call(() => this.update(ts, { text, blocks: blocks ?? [] })),
      },
    };
    return web as unknown as WebClient;
  }

  whisper(userId: string, text: string): { ok: true } {
    this.whispers.push({ at: this.#time.now, userId, text });
    return { ok: true };
  }
}

function accountOf(id: string): object | undefined {
  const person: Person | undefined = PEOPLE.find(({ userId, email }) => userId === id || email === id);
  return (
    person && { id: person.userId, team_id: TEAM, real_name: person.name, profile: { email: person.email }, is_restricted: person.guest }
  );
}

function elementsOf(blocks: readonly KnownBlock[] | undefined): readonly { readonly action: string; readonly value: string }[] {
  return (blocks ?? []).flatMap((block) =>
    block.type === 'actions'
      ? block.elements.flatMap((element) =>
          element.type === 'button' && element.action_id && element.value !== undefined
            ? [{ action: element.action_id, value: element.value }]
            : [],
        )
      : [],
  );
}
