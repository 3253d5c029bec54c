// What the app asked of Slack, what Slack asked of the app, and which of it was refused.
import { createHash } from 'node:crypto';
import type { Changes } from './changes.ts';
import type { Json, Message } from './messages.ts';

export interface CallEntry {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `in`: the app called Slack. `out`: Slack called the app. `person`: somebody tried what the page cannot do. */
  readonly direction: 'in' | 'out' | 'person';
  /** Web API method, `response_url`, or the kind of delivery (`slash_commands`, `block_actions`, …). */
  readonly method: string;
  readonly ok: boolean;
  /** Slack's error code, with the places for invalid blocks. */
  readonly refusal?: string;
  readonly ms: number;
  readonly summary: string;
}

const kept = 2_000;

export class CallLog {
  readonly #changes: Changes;
  readonly #now: () => number;
  readonly #entries: CallEntry[] = [];
  readonly #counts = new Map<string, { calls: number; refused: number }>();
  readonly #posts = new Map<string, string[]>();
  #id = 0;

  constructor(changes: Changes, now: () => number) {
    this.#changes = changes;
    this.#now = now;
  }

  add(entry: Omit<CallEntry, 'id' | 'at'>): void {
    const full: CallEntry = { ...entry, id: ++this.#id, at: this.#now() };
    this.#entries.push(full);
    if (this.#entries.length > kept) this.#entries.shift();
    const count = this.#counts.get(entry.method) ?? { calls: 0, refused: 0 };
    this.#counts.set(entry.method, { calls: count.calls + 1, refused: count.refused + (entry.ok ? 0 : 1) });
    this.#changes.announce({ kind: 'call', entry: full });
  }

  /** The last 2000 calls, oldest first. */
  entries(): readonly CallEntry[] {
    return [...this.#entries];
  }

  refusals(): readonly CallEntry[] {
    return this.#entries.filter((entry) => !entry.ok);
  }

  /** Calls and refusals since the start, by method. */
  counts(): Readonly<Record<string, { readonly calls: number; readonly refused: number }>> {
    return Object.fromEntries(this.#counts);
  }

  /** Calls of the app to Slack since the start, optionally of one method. */
  slackCalls(method?: string): number {
    const wanted = [...this.#counts].filter(([name]) => (method ? name === method : name.includes('.') || name === 'response_url'));
    return wanted.reduce((sum, [, count]) => sum + count.calls, 0);
  }

  /** Remembers a post of the app, so that the same content in the same place is counted as a duplicate. */
  posted(message: Message): void {
    const blocks = message.blocks?.map(({ block_id: _ignored, ...rest }: Json) => rest);
    const text = JSON.stringify([message.channel, message.threadTs, message.text, blocks, message.metadata], (key, value: unknown) =>
      key === 'action_id' ? undefined : value,
    );
    const print = createHash('sha256').update(text).digest('base64');
    const seen = this.#posts.get(print) ?? [];
    seen.push(message.ts);
    this.#posts.set(print, seen);
    const oldest = this.#posts.size > kept ? this.#posts.keys().next().value : undefined;
    if (oldest !== undefined) this.#posts.delete(oldest);
  }

  /** Timestamps of posts that came more than once with the same place, text, blocks and metadata; one list for each. */
  duplicatePosts(): readonly (readonly string[])[] {
    return [...this.#posts.values()].filter((all) => all.length > 1);
  }
}
