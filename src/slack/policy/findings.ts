// What the lint found, for people who read it in Slack.

import type { Finding } from '../../domain/policy/lint/finding.ts';
import { escapeMrkdwn, inertMrkdwn } from '../../domain/words/mrkdwn.ts';
import { code, cut, plural } from '../../domain/words/words.ts';

const MARKS = { error: '✗ error', warning: '! warning', note: '· note' } as const;
const MOST_SHOWN = 15;

/** One paragraph for each finding: line, what happens, what to write, and the lines to replace. */
export function findingLines(findings: readonly Finding[]): readonly string[] {
  const shown = findings.slice(0, MOST_SHOWN).map(paragraph);
  const left = findings.length - shown.length;
  return left > 0 ? [...shown, `… and ${plural(left, 'finding')} more.`] : shown;
}

function paragraph({ severity, line, column, path, happens, instead, fix }: Finding): string {
  const head = `*${MARKS[severity]}*, line ${line}:${column}${path === '' ? '' : ` ${code(path)}`}`;
  const body = `${prose(happens)}\n→ ${prose(instead)}`;
  const edit = fix?.edit;
  if (!fix || !edit) return `${head}\n${body}`;
  const where = edit.line === edit.endLine ? `line ${edit.line}` : `lines ${edit.line} to ${edit.endLine}`;
  const text = `${' '.repeat(edit.column - 1)}${edit.text}`;
  return `${head}\n${body}\n${prose(fix.words)} (${where}):\n${block(text)}`;
}

/** Our own sentences, which quote foreign words in backticks: code stays code, the rest is without effect. */
function prose(text: string): string {
  return cut(text, 900)
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') && part.length > 2 ? escapeMrkdwn(part) : inertMrkdwn(part)))
    .join('');
}

/** A piece of YAML as it should stand. */
export function block(text: string, most = 1_200): string {
  return `\`\`\`\n${escapeMrkdwn(cut(text.replaceAll('`', "'"), most))}\n\`\`\``;
}
