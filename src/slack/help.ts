import { escapeMrkdwn } from '../domain/mrkdwn.ts';
import { type HelpLine, helpFor } from '../domain/verbs.ts';
import { code } from '../domain/words.ts';
import { type Answer, section } from './answer.ts';

/** Help as blocks; `slash` is the command's configured name, e.g. `/mesh`. */
export function helpAnswer(slash: string, topic?: string): Answer {
  const lines = helpFor(topic).map((line) => render(line, slash));
  return { text: lines.join('\n'), blocks: paragraphs(lines).map(section) };
}

function render(line: HelpLine, slash: string): string {
  switch (line.kind) {
    case 'title':
      return `*${escapeMrkdwn(line.text)}*`;
    case 'text':
      return escapeMrkdwn(line.text);
    case 'grammar':
      return code(`${slash} ${line.text}`);
    case 'example':
      return `•  ${code(`${slash} ${line.text}`)}`;
    default:
      return line.kind satisfies never;
  }
}

/** As few sections as hold all lines whole. */
function paragraphs(lines: readonly string[], most = 2_900): readonly string[] {
  const done: string[] = [];
  let current = '';
  for (const line of lines) {
    if (current.length + line.length + 1 > most) {
      done.push(current);
      current = '';
    }
    current = current === '' ? line : `${current}\n${line}`;
  }
  return current === '' ? done : [...done, current];
}
