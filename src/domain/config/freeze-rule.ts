import * as z from 'zod';
import { isScope } from '../lifecycle/freeze.ts';

/** `from` or `until` of a freeze in meshops.yaml: an instant (epoch ms), or a minute of every week (Monday 00:00 = 0) or day. */
type When = { readonly every: 'once'; readonly at: number } | { readonly every: 'week' | 'day'; readonly minute: number };

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const DAY_MINUTES = 24 * 60;
/** Minutes after which a repeated freeze comes again. */
export const PERIOD = { day: DAY_MINUTES, week: 7 * DAY_MINUTES } as const;

const FORMS =
  'Write an instant with its zone (2026-12-24T12:00:00Z), a day and time of every week (fri 16:00), or a time of every day (18:00).';
const Instant = z.iso.datetime({ offset: true });

const When = z.string(FORMS).transform((text, context): When => {
  if (Instant.safeParse(text).success) return { every: 'once', at: Date.parse(text) };
  const [, day, hour, minute] = /^(?:([a-z]{3}) )?(\d{2}):(\d{2})$/.exec(text.trim().toLowerCase()) ?? [];
  const [hours, minutes, which] = [Number(hour), Number(minute), DAYS.findIndex((name) => name === day)];
  const isTime = hours * 60 + minutes <= DAY_MINUTES && minutes < 60;
  if (isTime && day === undefined) return { every: 'day', minute: (hours * 60 + minutes) % PERIOD.day };
  if (isTime && which >= 0) return { every: 'week', minute: (which * DAY_MINUTES + hours * 60 + minutes) % PERIOD.week };
  context.addIssue({ code: 'custom', message: `\`${text}\` is no time. ${FORMS}` });
  return z.NEVER;
});

const Zone = z
  .string('Expected a time zone, such as Europe/Berlin.')
  .refine(isZone, 'No such time zone: write one such as Europe/Berlin, or UTC.');

/** A freeze that stands in the file: once, or again every week or day by the wall clock of a zone. */
export const FreezeRule = z
  .strictObject({
    scope: z.string('Expected a scope.').refine(isScope, "Write '*', a cluster, cluster/namespace or cluster/namespace/name."),
    from: When,
    until: When,
    zone: Zone.optional(),
    reason: z
      .string('Expected a reason: everybody who is stopped reads it.')
      .trim()
      .min(1, 'Say the reason, for everybody who is stopped.')
      .max(300, 'At most 300 characters.'),
  })
  .superRefine(({ from, until, zone }, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message });
    if (from.every !== until.every) return refuse('until', 'Write `until` in the same form as `from`: instant, day and time, or time.');
    if (from.every === 'once' && until.every === 'once') {
      if (until.at <= from.at) refuse('until', 'This freeze would end before it begins.');
      if (zone !== undefined) refuse('zone', 'An instant carries its zone itself: leave `zone` out.');
      return;
    }
    if (zone === undefined) refuse('zone', 'Say in which `zone` these times are meant, such as Europe/Berlin.');
    if ('minute' in from && 'minute' in until && from.minute === until.minute)
      refuse('until', 'This freeze begins and ends at the same time.');
  });
export type FreezeRule = z.output<typeof FreezeRule>;

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0);
    // An offset such as +02:00 is a zone to Intl too, but not one whose summer time is known.
    return !/^[+-]/.test(name);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
