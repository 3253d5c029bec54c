// How numbers, times, people and foreign texts read in a message.
import type { Freeze } from '../lifecycle/freeze.ts';
import type { Approver } from '../lifecycle/gate.ts';
import { escapeMrkdwn, inertMrkdwn, withoutUnseen } from './mrkdwn.ts';
import { formatPercent } from './percent.ts';

/** Slack's limit for the text of a section, with room for a closing line. */
const SECTION_CHARS = 2_900;
const MOST_CODE_BLOCKS = 10;

/** A foreign text on one line: cut, white space collapsed (a line break could fake a line of ours), without any effect in Slack. */
export function said(text: string, max = 300): string {
  return inertMrkdwn(oneLine(text, max));
}

/** A foreign text as inline code. Backticks would end it early, so they become apostrophes. */
export function code(text: string, max = 200): string {
  return `\`${escapeMrkdwn(oneLine(text.replaceAll('`', "'"), max)) || ' '}\``;
}

function oneLine(text: string, max: number): string {
  return cut(text.replaceAll(/\s+/g, ' ').trim(), max);
}

/** Commands as code blocks for one section each. A command is whole or left out and counted: half of one must never be pasted. */
export function codeBlocks(commands: readonly string[]): readonly string[] {
  const blocks: string[][] = [];
  let used = SECTION_CHARS;
  let left = 0;
  for (const command of commands) {
    const safe = escapeMrkdwn(command.replaceAll('`', "'"));
    if (safe.length > SECTION_CHARS - 20) {
      left += 1;
      continue;
    }
    used += safe.length + 1;
    if (used > SECTION_CHARS - 20) {
      blocks.push([]);
      used = safe.length + 1;
    }
    blocks.at(-1)?.push(safe);
  }
  const shown = blocks.slice(0, MOST_CODE_BLOCKS);
  left += blocks.slice(MOST_CODE_BLOCKS).flat().length;
  const texts = shown.map((lines) => `\`\`\`\n${lines.join('\n')}\n\`\`\``);
  return left > 0 ? [...texts, `${plural(left, 'more command')} did not fit here.`] : texts;
}

/** At most `max` characters as Slack and JavaScript count them; a surrogate pair is not torn apart. What nobody sees is left out. */
export function cut(words: string, max: number): string {
  const text = withoutUnseen(words);
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** As many whole lines as fit into one section; the rest is counted: "and 12 more". */
export function fitLines(lines: readonly string[], max = SECTION_CHARS): string {
  const kept: string[] = [];
  let used = 0;
  for (const line of lines) {
    if (used + line.length + 1 > max) break;
    kept.push(line);
    used += line.length + 1;
  }
  const left = lines.length - kept.length;
  return left > 0 ? [...kept, `… and ${number(left)} more`].join('\n') : kept.join('\n');
}

/** Joins names as a sentence does: `a, b or c`; a long list is cut with its count. */
export function oneOf(names: readonly string[], max = 8): string {
  if (names.length > max) return `${names.slice(0, max).join(', ')} or ${number(names.length - max)} more`;
  return names.length < 2 ? (names[0] ?? 'nobody') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1204` as `1,204`. */
export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A share 0..1 as people read it: `10%`, `0.54%`. */
export function percent(share: number): string {
  return formatPercent(share * 100);
}

/** Of fewer than so many a percentage says more than anybody knows. */
const FEWEST = 20;

/** A measured share behind its counts: ` (0.08%)`, ` (9.1%)`, ` (19%)`. Nothing where none of them, or where there are few. */
export function rate(part: number, whole: number): string {
  if (part <= 0 || whole < FEWEST) return '';
  const value = (part / whole) * 100;
  // What is not all is not written as all, and what is not nothing is not written as nothing.
  if (value > 99 && value < 100) return ` (${Math.min(99.99, Number(value.toFixed(2)))}%)`;
  const digits = value < 1 ? 2 : value < 9.95 ? 1 : 0;
  return value < 0.005 ? ' (below 0.01%)' : ` (${Number(value.toFixed(digits))}%)`;
}

/** Milliseconds in words: `at once`, `0.4 s`, `45 s`, `1 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 100) return 'at once';
  if (ms > 0 && ms < 9_950) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 || minutes >= 10 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Epoch ms as day and time in the reader's own time zone; clients that cannot do it show UTC. */
export function moment(at: number): string {
  return dateToken(at, '{date_short_pretty} {time_secs}', `${new Date(at).toISOString().slice(0, 10)} `);
}

/** Epoch ms as the time of day, for moments close to now. */
export function clockTime(at: number): string {
  return dateToken(at, '{time_secs}', '');
}

function dateToken(at: number, format: string, day: string): string {
  return `<!date^${Math.floor(at / 1000)}^${format}|${day}${new Date(at).toISOString().slice(11, 19)} UTC>`;
}

/** A mention where Slack knows the person, else the name. Only ids of Slack's own shape become mentions. */
export function person(who: { readonly name: string; readonly slackId?: string }): string {
  return who.slackId && /^[UW][A-Z0-9]{1,30}$/.test(who.slackId) ? `<@${who.slackId}>` : `*${said(who.name, 80)}*`;
}

export function people(approvers: readonly Approver[]): string {
  return oneOf(approvers.map(person));
}

/** `everything is frozen until 14:02 by Operator: release weekend.` */
export function frozenWords({ scope, until, by, reason }: Freeze): string {
  const what = scope === '*' ? 'everything' : code(scope);
  return `${what} is frozen until ${moment(until)} by ${said(by.name, 80)}: ${said(reason.replace(/\.$/, ''), 400)}.`;
}
