// How numbers, times, people and foreign texts read in a message.
import type { Approver } from '../../src/domain/gate.ts';
import { escapeMrkdwn, inertMrkdwn } from '../../src/domain/mrkdwn.ts';

/** Slack's limit for the text of a section, with room for a closing line. */
const SECTION_CHARS = 2_900;

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

/** Commands as a code block, every line whole; what does not fit is counted. */
export function codeBlock(lines: readonly string[]): string {
  const safe = lines.map((line) => escapeMrkdwn(cut(line.replaceAll('`', "'").replaceAll(/[\r\n]+/g, ' '), 500)));
  return `\`\`\`\n${fitLines(safe, SECTION_CHARS - 8)}\n\`\`\``;
}

/** At most `max` characters as Slack and JavaScript count them; a surrogate pair is not torn apart. */
export function cut(text: string, max: number): string {
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

/** `1204` as `1,204`. */
export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A share 0..1 as people type it: `10%`, `0.1%`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}

/** Two decimals, for measured shares: `0.08%`. Of nothing there is no percentage. */
export function rate(part: number, whole: number): string {
  return whole === 0 ? 'no requests yet' : `${((part / whole) * 100).toFixed(2)}%`;
}

/** Milliseconds in words: `45 s`, `1 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 || minutes >= 10 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Epoch ms in the reader's own time zone; clients that cannot do it show UTC. */
export function moment(at: number): string {
  const utc = new Date(at).toISOString();
  return `<!date^${Math.floor(at / 1000)}^{date_short_pretty} {time_secs}|${utc.slice(0, 10)} ${utc.slice(11, 19)} UTC>`;
}

/** A mention where Slack knows the person, else the name. Only ids of Slack's own shape become mentions. */
export function person(who: { readonly name: string; readonly slackId?: string }): string {
  return who.slackId && /^[UW][A-Z0-9]{1,30}$/.test(who.slackId) ? `<@${who.slackId}>` : `*${said(who.name, 80)}*`;
}

export function people(approvers: readonly Approver[]): string {
  return oneOf(approvers.map(person));
}
