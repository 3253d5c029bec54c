// `/mesh doctor`: what the command line's doctor says, to one person. What is wrong comes first.
import { type Found, type ProcessName, summaryOf } from '../doctor/checks.ts';
import { said } from '../domain/words/words.ts';
import { type Answer, say, section } from './answer.ts';
import { type Backgrounds, inBackground } from './background.ts';

export interface Doctor {
  /** Which process is looked at. */
  readonly process: ProcessName;
  examine(): Promise<readonly Found[]>;
}

/** The look is given up after its checks' own deadlines; more people than one share it. */
export function sharedDoctor(process: ProcessName, examine: (signal: AbortSignal) => Promise<readonly Found[]>): Doctor {
  let underWay: Promise<readonly Found[]> | undefined;
  return {
    process,
    examine: () => {
      underWay ??= examine(AbortSignal.timeout(LONGEST_MS)).finally(() => (underWay = undefined));
      return underWay;
    },
  };
}

const LONGEST_MS = 15_000;
/** Slack's limit for one section, with room for the mark. */
const SECTION_CHARS = 2_800;
const MOST_SECTIONS = 20;

/** Says that it looks, and what it found when it has. */
export function doctorAnswer(deps: Backgrounds & { readonly doctor?: Doctor }, later: (answer: Answer) => Promise<void>): Answer {
  const { doctor } = deps;
  if (!doctor) return say('This process cannot look. Run `meshops doctor` where meshops runs.');
  inBackground(deps, 'what doctor found could not be said', async () => later(answerOf(await doctor.examine(), doctor.process)));
  return say('Looking at every connection, right and version. The answer comes here in a few seconds.');
}

/** What was found, as one message. */
export function answerOf(found: readonly Found[], process: ProcessName): Answer {
  const of = (state: Found['state']): readonly Found[] => found.filter((one) => one.state === state);
  const lines = [
    `*${summaryOf(found)}*`,
    ...of('missing').map((one) => lineOf('Missing', one)),
    ...of('remark').map((one) => lineOf('Could be better', one)),
    ...(of('good').length > 0
      ? [
          `Good: ${of('good')
            .map(({ name }) => said(name, 80))
            .join(', ')}.`,
        ]
      : []),
    ...(process === 'bot'
      ? ['This is what the bot sees. Its worker has rights and ways of its own: `meshops doctor --process worker` there.']
      : []),
  ];
  const sections: string[] = [];
  for (const line of lines) {
    const last = sections.at(-1);
    if (last !== undefined && last.length + line.length < SECTION_CHARS) sections[sections.length - 1] = `${last}\n${line}`;
    else sections.push(line.slice(0, SECTION_CHARS));
  }
  return { text: summaryOf(found), blocks: sections.slice(0, MOST_SECTIONS).map(section) };
}

function lineOf(state: string, { name, words, todo = '' }: Found): string {
  return `*${state}:* ${said(name, 80)}: ${said(words, 500)}\n${said(todo, 400)}`;
}
