// What one Web API method is.
import type { Args } from '../args.ts';
import type { Core } from '../core.ts';
import type { Tier } from '../limits.ts';
import type { Json } from '../messages.ts';

export interface Method {
  readonly tier: Tier;
  /** Which token it takes; the bot's when left out. */
  readonly token?: 'bot' | 'app' | 'none';
  /** OAuth scope it needs, checked when the app lists its scopes. */
  readonly scope?: string;
  /** The fields beside `ok: true`. Throws SlackRefusal. */
  readonly run: (core: Core, args: Args) => Json;
}

export type Methods = Readonly<Record<string, Method>>;

/** One page of a list with Slack's cursor: `limit` entries (100 by default, 1000 at most) after the cursor. */
export function page<T>(all: readonly T[], args: Args): { items: readonly T[]; response_metadata: { next_cursor: string } } {
  const limit = Math.min(1000, Math.max(1, args.number('limit', 100)));
  const start = Number(Buffer.from(args.optional('cursor') ?? '', 'base64').toString() || 0);
  const next = start + limit < all.length ? Buffer.from(String(start + limit)).toString('base64') : '';
  return { items: all.slice(start, start + limit), response_metadata: { next_cursor: next } };
}
