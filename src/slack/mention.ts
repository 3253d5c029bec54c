// A message that mentions the bot: whose it is, when it was written, and whether it is a command.
import * as z from 'zod';
import type { AttachedFile } from '../reading/policy/sources/thread-file.ts';
import type { Origin } from './origin.ts';
import { isUserId } from './shape.ts';

const Mention = z.object({
  team_id: z.string(),
  api_app_id: z.string(),
  event_id: z.string(),
  event: z.object({
    channel: z.string(),
    user: z.string().refine(isUserId),
    text: z.string(),
    ts: z.string(),
    thread_ts: z.string().optional(),
    files: z.array(z.object({ name: z.string().nullish(), url_private: z.string().nullish(), size: z.number().nullish() })).nullish(),
    // Any of these: written by an app, with a person's token perhaps, or not as it was sent.
    bot_id: z.unknown().optional(),
    app_id: z.unknown().optional(),
    bot_profile: z.unknown().optional(),
    edited: z.unknown().optional(),
    subtype: z.unknown().optional(),
  }),
});

export interface Mentioned {
  readonly origin: Origin;
  /** When it was written, epoch ms. */
  readonly at: number;
  readonly text: string;
  readonly files: readonly AttachedFile[];
  readonly threadTs?: string;
  readonly ts: string;
}

/** Slack delivers an event for the third time after 5 minutes; nobody still expects it then. Milliseconds. */
export const MENTION_VALID_MS = 60_000;

/** What a person wrote, just so; undefined for everything else. */
export function readMention(body: unknown): Mentioned | undefined {
  const read = Mention.safeParse(body);
  if (!read.success) return undefined;
  const { team_id: teamId, api_app_id: appId, event_id: triggerId, event } = read.data;
  const { bot_id, app_id, bot_profile, edited, subtype, channel: channelId, user: userId, ts, thread_ts: threadTs } = event;
  const files = (event.files ?? []).flatMap(({ name, url_private: url, size }): AttachedFile[] =>
    url ? [{ name: name ?? 'file', url, ...(size === null || size === undefined ? {} : { size }) }] : [],
  );
  // The one subtype that a person's own message has: it carries a file.
  const foreign = [bot_id, app_id, bot_profile, edited, subtype === 'file_share' && files.length > 0 ? undefined : subtype];
  if (foreign.some((one) => one !== undefined && one !== null)) return undefined;
  const origin = { teamId, appId, channelId, userId, triggerId };
  return { origin, at: Number(ts) * 1_000, text: event.text, files, ts, ...(threadTs === undefined ? {} : { threadTs }) };
}

/** The words of a command: a text that begins with the bot's own mention. Mentions of others stay. Undefined: it only speaks of the bot. */
export function commandIn(text: string, botUserId: string): string | undefined {
  const [, id, words] = /^\s*<@([UW][A-Z0-9]+)(?:\|[^>]*)?>\s*[:,]?(?:\s+|$)([\s\S]*)$/.exec(text) ?? [];
  return id === botUserId ? (words ?? '').trim() : undefined;
}
