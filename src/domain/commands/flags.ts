import { OUTCOME_WORDS } from '../lifecycle/outcome.ts';
import { VERB_NAMES } from '../verb.ts';
import { formatDuration, parseDuration } from '../words/duration.ts';
import { type PercentProblem, parsePercent } from '../words/percent.ts';
import type { ChangeOptions, FlagName } from './command.ts';
import { nearest } from './nearest.ts';
import { quoted } from './target-text.ts';

/** What one flag gave: its options, or why its value is refused and the nearest value that would not be. */
type FlagValue =
  | { readonly kind: 'value'; readonly options: ChangeOptions }
  | { readonly kind: 'refused'; readonly words: string; readonly nearest?: string };

const REASON_LIMIT = 300;

/** How each flag reads its value. Limits keep a slip of a key from holding a change open for a week. */
export const FLAGS: Readonly<Record<FlagName, (value: string) => FlagValue>> = {
  steps: parseSteps,
  soak: (value) => parseLength('soak', value, 1_000, 86_400_000, (soakMs) => ({ soakMs })),
  slo: parseObjective,
  latency: (value) => parseLength('latency', value, 1, 60_000, (latencyMs) => ({ latencyMs })),
  budget: parseBudget,
  probe: parseProbe,
  reason: parseReason,
  emergency: parseEmergency,
  'include-other-namespaces': () => ({ kind: 'value', options: { includeOthers: true } }),
  window: (value) => parseLength('window', value, 10_000, 7 * 86_400_000, (windowMs) => ({ windowMs })),
  'no-observe': () => ({ kind: 'value', options: { observe: false } }),
  accept: parseAccepted,
  replace: () => ({ kind: 'value', options: { replace: true } }),
  'no-dryrun': () => ({ kind: 'value', options: { withoutDryRun: true } }),
  since: (value) => parseLength('since', value, 60_000, 30 * 86_400_000, (sinceMs) => ({ sinceMs })),
  who: parseWho,
  verb: (value) => parseName('verb', value, VERB_NAMES, (ofVerb) => ({ ofVerb })),
  outcome: (value) => parseName('outcome', value, Object.keys(OUTCOME_WORDS), (outcome) => ({ outcome })),
};

/** Flags that stand alone: the word behind them is not theirs. */
export const BARE_FLAGS: readonly FlagName[] = ['include-other-namespaces', 'no-observe', 'replace', 'no-dryrun'];

export const FLAG_NAMES = Object.keys(FLAGS) as readonly FlagName[];

/** Sentences for what can be wrong with a percent; `what` is the place, e.g. `--steps`. */
export function percentProblem(what: string, text: string, problem: PercentProblem): { words: string; nearest?: string } {
  switch (problem) {
    case 'comma':
      return { words: `${what} takes a percent with a point: ${quoted(text)} has a comma.`, nearest: withSign(text.replace(',', '.')) };
    case 'share-or-percent':
      return { words: `${quoted(text)} could mean ${text}% or ${Number((Number(text) * 100).toPrecision(9))}%: write it with the % sign.` };
    case 'too-fine':
      return { words: `Percents go in steps of 0.1: ${quoted(text)} is finer.`, nearest: `${nearestTenth(Number.parseFloat(text))}%` };
    case 'out-of-range':
      return { words: `${what} takes a percent from 0 to 100: ${quoted(text)} is outside.` };
    case 'not-a-percent':
      return { words: `${what} takes a percent such as 10% or 0.5%; ${quoted(text)} is not one.` };
  }
}

/** Never 0 or 100 for what is neither: 0% asks nobody, 100% leaves nothing to compare with. */
function nearestTenth(percent: number): number {
  return Math.min(99.9, Math.max(0.1, Math.round(percent * 10) / 10));
}

function withSign(text: string): string {
  return text.endsWith('%') ? text : `${text}%`;
}

function parseSteps(value: string): FlagValue {
  const example = '`--steps` takes rising percents such as 5,10,25';
  const texts = value.split(',').map((text) => text.trim());
  if (texts.length > 20) return { kind: 'refused', words: `${example}, at most 20 of them; there are ${texts.length}.` };
  const steps: number[] = [];
  for (const text of texts) {
    const percent = parsePercent(text);
    if (typeof percent === 'string') return { kind: 'refused', words: `${example}; ${quoted(value)} is not that.` };
    steps.push(percent);
  }
  const sorted = [...new Set(steps)].toSorted((a, b) => a - b);
  const rising = sorted.every((step, index) => step === steps[index]) && sorted.length === steps.length;
  const falling = sorted.toReversed().every((step, index) => step === steps[index]) && sorted.length === steps.length;
  if (rising || falling) return { kind: 'value', options: { steps } };
  return {
    kind: 'refused',
    words: `${example} (falling ones on the way down); ${quoted(value)} goes up and down.`,
    nearest: sorted.join(','),
  };
}

/** An address, or what stands before its @. */
function parseWho(value: string): FlagValue {
  const who = value.replace(/^@/, '').toLowerCase();
  if (/^[a-z0-9._+-]{1,64}(@[a-z0-9.-]{1,253})?$/.test(who)) return { kind: 'value', options: { who } };
  return { kind: 'refused', words: `\`--who\` takes an e-mail address, or what stands before its @; ${quoted(value)} is neither.` };
}

function parseName(flag: string, value: string, names: readonly string[], options: (name: string) => ChangeOptions): FlagValue {
  const typed = value.toLowerCase().replaceAll(/[ _]/g, '-');
  if (names.includes(typed)) return { kind: 'value', options: options(typed) };
  const near = nearest(typed, names);
  const words = `\`--${flag}\` takes one of ${names.join(', ')}; ${quoted(value)} is none of them.`;
  return { kind: 'refused', words, ...(near !== undefined && { nearest: near }) };
}

function parseLength(flag: string, value: string, least: number, most: number, options: (ms: number) => ChangeOptions): FlagValue {
  const ms = parseDuration(value);
  const example = flag === 'latency' ? '500ms or 2s' : flag === 'since' ? '24h or 7d' : '30s or 2m';
  if (ms === undefined) {
    const nearest = nearestDuration(value, flag);
    return {
      kind: 'refused',
      words: `\`--${flag}\` takes a duration such as ${example}; ${quoted(value)} is not one.`,
      ...(nearest === undefined ? {} : { nearest }),
    };
  }
  if (ms >= least && ms <= most) return { kind: 'value', options: options(ms) };
  return {
    kind: 'refused',
    words: `\`--${flag}\` takes ${formatDuration(least)} to ${formatDuration(most)}; ${quoted(value)} is outside.`,
    nearest: formatDuration(ms < least ? least : most),
  };
}

/** `2 minutes`, `2min`, `30 sec`, `500`: what was probably meant. */
function nearestDuration(value: string, flag: string): string | undefined {
  const [, amount, unit] = /^(\d{1,6})\s*([a-z]*)$/i.exec(value) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  if (unit === '') return `${amount}${flag === 'latency' ? 'ms' : 's'}`;
  const short = LONG_UNITS.find(([pattern]) => pattern.test(unit))?.[1];
  return short === undefined ? undefined : `${amount}${short}`;
}

const LONG_UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(ms|msecs?|milli(second)?s?)$/i, 'ms'],
  [/^(s|secs?|seconds?)$/i, 's'],
  [/^(m|mins?|minutes?)$/i, 'm'],
  [/^(h|hrs?|hours?)$/i, 'h'],
  [/^(d|days?)$/i, 'd'],
];

/** Is this word a unit that stands apart from its number, as in `2 minutes`? */
export function isUnitWord(word: string): boolean {
  return LONG_UNITS.some(([pattern]) => pattern.test(word));
}

function parseObjective(value: string): FlagValue {
  const word = value.toLowerCase();
  if (word === 'relative' || word === 'excused') return { kind: 'value', options: { slo: word } };
  const example = '`--slo` takes the share of requests that may fail, such as 1% or 0.5%, `relative` or `excused`';
  const nearest = /^rel/i.test(value) ? 'relative' : /^exc/i.test(value) ? 'excused' : undefined;
  if (nearest) return { kind: 'refused', words: `${example}; ${quoted(value)} is none of these.`, nearest };
  const [, number, sign] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(value) ?? [];
  if (number === undefined) return { kind: 'refused', words: `${example}; ${quoted(value)} is not one.` };
  const percent = Number(number);
  if (sign === '' && percent < 1) return { kind: 'refused', ...percentProblem('`--slo`', value, 'share-or-percent') };
  if (percent > 50 && percent < 100) {
    const meant = Number((100 - percent).toPrecision(9));
    return { kind: 'refused', words: `${example}; ${quoted(value)} reads like the share that must succeed.`, nearest: `${meant}%` };
  }
  if (percent < 0.001 || percent > 50) return { kind: 'refused', words: `${example}, from 0.001% to 50%; ${quoted(value)} is outside.` };
  return { kind: 'value', options: { objective: Number((percent / 100).toPrecision(9)) } };
}

const MOST_BUDGET = 1_000_000;

function parseBudget(value: string): FlagValue {
  const example = '`--budget` takes how many failures above the objective are allowed in all, such as 20';
  if (!/^\d{1,9}$/.test(value)) return { kind: 'refused', words: `${example}; ${quoted(value)} is not a whole number.` };
  const budget = Number(value);
  if (budget < 1 || budget > MOST_BUDGET) {
    const nearest = String(budget < 1 ? 1 : MOST_BUDGET);
    return { kind: 'refused', words: `${example}, from 1 to ${MOST_BUDGET}; ${quoted(value)} is outside.`, nearest };
  }
  return { kind: 'value', options: { budget } };
}

/** Requests of our own per second: enough for a verdict in minutes, and no load. */
export const MOST_PROBES = 20;

function parseProbe(value: string): FlagValue {
  const example = `\`--probe\` takes how many requests of our own are sent in a second, from 1/s to ${MOST_PROBES}/s`;
  const [, number] = /^(\d{1,6})(?:\/s)?$/i.exec(value) ?? [];
  if (number === undefined) return { kind: 'refused', words: `${example}; ${quoted(value)} is not that.` };
  const probesPerSecond = Number(number);
  if (probesPerSecond >= 1 && probesPerSecond <= MOST_PROBES) return { kind: 'value', options: { probesPerSecond } };
  return { kind: 'refused', words: `${example}; ${quoted(value)} is outside.`, nearest: `${probesPerSecond < 1 ? 1 : MOST_PROBES}/s` };
}

const MOST_ACCEPTED = 20;

/** Keys as a hold or a dry-run names them, with commas between. */
function parseAccepted(value: string): FlagValue {
  const accept = [...new Set(value.split(',').map((key) => key.trim()))].filter((key) => key !== '');
  const example = '`--accept` takes the keys of drops that are meant, as the dry-run names them, with commas between';
  if (accept.length === 0) return { kind: 'refused', words: `${example}.` };
  if (accept.length > MOST_ACCEPTED) return { kind: 'refused', words: `${example}, at most ${MOST_ACCEPTED}; there are ${accept.length}.` };
  const wrong = accept.find((key) => key.length > 200 || /[\p{C}`]/u.test(key));
  return wrong === undefined
    ? { kind: 'value', options: { accept } }
    : { kind: 'refused', words: `${example}; ${quoted(wrong)} is not one.` };
}

/** Whoever reviews it reads this: a word is no reason. */
const SHORTEST_EMERGENCY = 20;

function parseEmergency(value: string): FlagValue {
  const reason = value.trim();
  if (reason.length >= SHORTEST_EMERGENCY && reason.length <= REASON_LIMIT)
    return { kind: 'value', options: { emergency: reason, reason } };
  const words = `\`--emergency\` needs its reason in quotes, ${SHORTEST_EMERGENCY} to ${REASON_LIMIT} characters; this one has ${reason.length}.`;
  return { kind: 'refused', words };
}

function parseReason(value: string): FlagValue {
  const reason = value.trim();
  if (reason === '') return { kind: 'refused', words: '`--reason` is empty: say why in a few words, in quotes.' };
  if (reason.length > REASON_LIMIT) {
    return { kind: 'refused', words: `\`--reason\` takes up to ${REASON_LIMIT} characters; this one has ${reason.length}.` };
  }
  return { kind: 'value', options: { reason } };
}
