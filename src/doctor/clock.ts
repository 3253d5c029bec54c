import { sql } from 'kysely';
import type { Database } from '../audit/database.ts';
import { Missing, type Remark } from './checks.ts';

/** The judge puts events of agents in order with its own time; tokens and Slack's signatures bear more. Milliseconds. */
const REMARK_MS = 2_000;
const MISSING_MS = 30_000;
export const TODO = 'Keep the clocks of this machine, of the servers it talks to and of the nodes by NTP (chrony, systemd-timesyncd).';

/** How far our clock is from a server's, by the Date of its answer: whole seconds, so half of one is added. Throws when they are far apart. */
export function skewWords(who: string, date: string | undefined, sentAt: number, heardAt: number): string | Remark {
  const theirs = Date.parse(date ?? '') + 500;
  if (Number.isNaN(theirs)) return `${who} does not say its time`;
  return apartWords(who, theirs, { sentAt, heardAt, roundingMs: 500 });
}

/** How far our clock is from one that showed `theirs` (epoch ms) some time between two moments of ours. Throws when they are far apart. */
export function apartWords(
  who: string,
  theirs: number,
  { sentAt, heardAt, roundingMs = 0 }: { readonly sentAt: number; readonly heardAt: number; readonly roundingMs?: number },
): string | Remark {
  const ours = (sentAt + heardAt) / 2;
  // What rounding and the way there and back leave open says nothing.
  const open = roundingMs + (heardAt - sentAt) / 2;
  const skew = Math.max(0, Math.abs(ours - theirs) - open);
  if (skew < REMARK_MS) return `agrees with ${who}`;
  const words = `${Math.round(skew / 1_000)} s ${ours > theirs ? 'ahead of' : 'behind'} ${who}`;
  if (skew < MISSING_MS) return { words, todo: TODO };
  throw new Missing(words, TODO);
}

/** What time a Postgres server has. One in a file has this machine's. */
export async function databaseClock(db: Database): Promise<string | Remark> {
  const sentAt = Date.now();
  const { rows } = await sql<{ readonly ms: number | string }>`select extract(epoch from clock_timestamp()) * 1000 as ms`.execute(db);
  return apartWords('the database', Number(rows[0]?.ms), { sentAt, heardAt: Date.now() });
}
