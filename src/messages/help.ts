// Help that is read: eight lines, an area, or one command.
import type { KnownBlock } from '@slack/types';
import { commandsIn, exampleOf, HELP_AREAS, type HelpArea, OPTION_WORDS } from '../domain/commands/help.ts';
import { type CommandSpec, usageOf } from '../domain/commands/spec.ts';
import { type SlashNames, slashed, VERBS, verbOf } from '../domain/commands/verbs.ts';
import { VERB_RECORDS } from '../domain/verb.ts';
import { escapeMrkdwn } from '../domain/words/mrkdwn.ts';
import { capital, code } from '../domain/words/words.ts';
import { commandRow } from './command-button.ts';
import { openButton } from './forms/open-button.ts';
import { section } from './message.ts';

export interface HelpMessage {
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
}

/** Help on a command is at most this long: one screen of a phone. Characters. */
const LONGEST_HELP = 900;

/** `slash`: the configured names of the slash commands. A topic that nobody knows gives the overview. */
export function helpMessage(slash: SlashNames, topic?: string): HelpMessage {
  const area = HELP_AREAS.find((one) => one === topic);
  if (area) return message(areaLines(slash, area), row(slash, commandsIn(area), area));
  const spec = topic === undefined ? undefined : verbOf(topic);
  return spec ? message(commandLines(slash, spec), row(slash, [spec])) : message(overview(slash), row(slash, VERBS));
}

function message(lines: readonly string[], buttons: KnownBlock): HelpMessage {
  const text = lines.join('\n');
  return { text, blocks: [section(text), buttons] };
}

function overview(slash: SlashNames): readonly string[] {
  const typed = (text: string): string => code(slashed(slash, text));
  const verbs = Object.values(VERB_RECORDS).flatMap(({ commands: [first] }) => (first ? [lineOf(slash, first)] : []));
  return [
    '*meshops changes the mesh in small steps, watches real traffic and rolls back by itself.*',
    ...verbs,
    `${typed('status')} what runs · ${typed('rollback backend')} roll the last change back`,
    `${typed('freeze demo/backend 2h reason')} stop changes for a while`,
    `${typed('help canary')} explains one command, with its options.`,
  ];
}

function areaLines(slash: SlashNames, area: HelpArea): readonly string[] {
  return [`*${capital(area)}*`, ...commandsIn(area).map((spec) => lineOf(slash, spec))];
}

function lineOf(slash: SlashNames, spec: CommandSpec): string {
  return `${code(slashed(slash, exampleOf(spec)))} ${lower(spec.summary)}`;
}

/** A button for each other area, and for each form of the commands that are shown. */
function row(slash: SlashNames, shown: readonly CommandSpec[], area?: HelpArea): KnownBlock {
  const others = HELP_AREAS.filter((one) => one !== area);
  const areas = commandRow(
    others.map((one) => ({ label: capital(one), command: slashed(slash, `help ${one}`), spoken: `Help on ${one}` })),
  );
  const forms = shown.flatMap(({ name, form }) => (form === undefined ? [] : [openButton(name, form)]));
  return { type: 'actions', elements: [...(areas?.elements ?? []), ...forms] };
}

/** What does not fit is on the page of commands. */
function commandLines(slash: SlashNames, spec: CommandSpec): readonly string[] {
  const typed = (text: string): string => code(slashed(slash, text));
  const examples = spec.examples.slice(0, 2).map(typed);
  const options = spec.flags.map((flag) => {
    const [option, words] = OPTION_WORDS[flag];
    return `${code(option)} ${words}`;
  });
  const head = [
    `*${capital(spec.name)}: ${lower(spec.summary)}.*`,
    `${typed(usageOf(spec))}${examples.length > 0 ? `  e.g. ${examples.join(', ')}` : ''}`,
    gateWords(spec),
  ];
  const tail = options.length > 0 ? [`*Options*  ${options.join(' · ')}`] : [];
  let left = LONGEST_HELP - [...head, ...tail].join('\n').length - MORE.length - 2;
  const kept: string[] = [];
  for (const line of spec.help.map(escapeMrkdwn)) {
    if (line.length + 1 > left) break;
    left -= line.length + 1;
    kept.push(line);
  }
  return [...head, ...kept, ...tail, ...(kept.length < spec.help.length ? [MORE] : [])];
}

const MORE = 'More: docs/cli.md';

function gateWords({ gate, quorum = 1, changes }: CommandSpec): string {
  if (gate === 'required') return quorum > 1 ? `Needs ${quorum} approvals.` : 'Needs approval.';
  return changes === undefined ? 'Needs no approval.' : 'Needs no approval within a day of what it rolls back.';
}

function lower(summary: string): string {
  const isName = /^[A-Za-z]+[A-Z]/.test(summary);
  return (isName ? summary : `${summary.slice(0, 1).toLowerCase()}${summary.slice(1)}`).replace(/\.$/, '');
}
