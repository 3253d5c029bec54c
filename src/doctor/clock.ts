import { Missing, type Remark } from './checks.ts';

/** The judge puts events of agents in order with its own time; tokens and Slack's signatures bear more. Milliseconds. */
const REMARK_MS = 2_000;
const MISSING_MS = 30_000;
export const TODO = 'Keep the clocks of this machine and of the nodes by NTP (chrony, systemd-timesyncd).';

/** How far our clock is from a server's, by the Date of its answer: whole seconds, so half of one is added. Throws when they are far apart. */
export function skewWords(who: string, date: string | undefined, sentAt: number, heardAt: number): string | Remark {
  const theirs = Date.parse(date ?? '') + 500;
  if (Number.isNaN(theirs)) return `${who} does not say its time`;
  const ours = (sentAt + heardAt) / 2;
  // What a second of rounding and the way there and back leave open says nothing.
  const open = 500 + (heardAt - sentAt) / 2;
  const skew = Math.max(0, Math.abs(ours - theirs) - open);
  if (skew < REMARK_MS) return `agrees with ${who}`;
  const words = `${Math.round(skew / 1_000)} s ${ours > theirs ? 'ahead of' : 'behind'} ${who}`;
  if (skew < MISSING_MS) return { words, todo: TODO };
  throw new Missing(words, TODO);
}
