import { CONFIGURED, type Freeze } from '../lifecycle/freeze.ts';
import { type FreezeRule, PERIOD } from './freeze-rule.ts';

const MINUTE_MS = 60_000;
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** The freezes of meshops.yaml that hold at this moment (epoch ms), each with the end of the window that it is in. */
export function standingFreezes(rules: readonly FreezeRule[], now: number): readonly Freeze[] {
  return rules.flatMap((rule) => {
    const window = windowOf(rule, now);
    return window ? [{ scope: rule.scope, reason: rule.reason, by: CONFIGURED, ...window }] : [];
  });
}

function windowOf({ from, until, zone = 'UTC' }: FreezeRule, now: number): Pick<Freeze, 'setAt' | 'until'> | undefined {
  if (from.every === 'once' || until.every === 'once') {
    if (from.every !== 'once' || until.every !== 'once') return undefined;
    return from.at <= now && now < until.at ? { setAt: from.at, until: until.at } : undefined;
  }
  const period = PERIOD[from.every];
  const minute = wallMinute(now, zone);
  const since = modulo(minute - from.minute, period);
  if (since >= modulo(until.minute - from.minute, period)) return undefined;
  const start = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const left = modulo(until.minute - minute, period) * MINUTE_MS;
  return { setAt: start - since * MINUTE_MS, until: wallEnd(start + left, now, until.minute, { zone, period }) };
}

/** The instant at which the wall clock shows the end. Where summer time begins or ends before it, the distance on the clock is off by its step. */
function wallEnd(guess: number, now: number, minute: number, { zone, period }: { readonly zone: string; readonly period: number }): number {
  const ahead = modulo(wallMinute(guess, zone) - minute + period / 2, period) - period / 2;
  const end = guess - ahead * MINUTE_MS;
  // The clock may jump over the end itself; then the guess is late by the step, which the next look corrects.
  return end > now ? end : guess;
}

/** Minute of the week on the wall clocks of a zone, Monday 00:00 = 0. */
function wallMinute(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return DAYS.indexOf(part['weekday'] ?? '') * PERIOD.day + Number(part['hour']) * 60 + Number(part['minute']);
}

/** Never negative, unlike `%`. */
function modulo(value: number, period: number): number {
  return ((value % period) + period) % period;
}
