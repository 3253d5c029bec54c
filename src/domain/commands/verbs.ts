import type { VerbName } from '../lifecycle/change.ts';
import { VERB_RECORDS } from '../verb.ts';
import type { CommandName } from './command.ts';
import { ENCRYPTION_VERBS } from './encryption-specs.ts';
import { GUARDING_VERBS } from './guarding-specs.ts';
import type { CommandSpec } from './spec.ts';

/** The names of the slash commands. */
export type SlashNames = Readonly<Record<Area | 'mesh', string>>;

/** What may stand behind `/mesh`, as people type it: `canary backend 10%` as `/mesh canary backend 10%`, `policy relax shop/frontend` as `/policy relax shop/frontend`. */
export function slashed(slash: SlashNames, text: string): string {
  const area = AREAS.find((one) => text.startsWith(`${one} `));
  return area ? `${slash[area]}${text.slice(area.length)}` : `${slash.mesh} ${text}`;
}

/** A command as people type it, with what stands behind it. */
export function typed(slash: SlashNames, name: CommandName, behind: string): string {
  return slashed(slash, `${name} ${behind}`);
}

const records = Object.values(VERB_RECORDS);

/** Every command: those that change the mesh stand in their verbs' records. */
export const VERBS: readonly CommandSpec[] = [
  ...records.slice(0, 1).flatMap(({ commands }) => commands),
  {
    name: 'abort',
    grammar: 'abort <operation or service> [reason]',
    summary: 'Stop a running operation and roll it back.',
    help: ['Takes the id of the operation or the service it runs on. Needs no approval: stopping is the safe direction.'],
    examples: ['abort backend', 'abort shop/backend error budget is spent'],
    flags: ['reason'],
    gate: 'none',
  },
  {
    name: 'status',
    grammar: 'status [[cluster/][namespace/]name]',
    summary: 'What runs now, which step, who asked, since when.',
    help: ['Without a service: every operation that runs.'],
    examples: ['status', 'status backend'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'help',
    grammar: 'help [verb]',
    summary: 'What there is, or one command explained.',
    help: [],
    examples: ['help', 'help canary', 'help policy'],
    flags: [],
    gate: 'none',
  },
  ...GUARDING_VERBS,
  ...records.slice(1).flatMap(({ commands }) => commands),
  ...ENCRYPTION_VERBS,
];

/** The verb that a command starts or continues an operation of. Throws for one that changes nothing: nobody asks for an operation with it. */
export function changedBy(command: CommandName): VerbName {
  const verb = verbOf(command)?.changes;
  if (verb === undefined) throw new Error(`the command ${command} changes nothing`);
  return verb;
}

/** First words that name a group of verbs: what stands before the second word. */
export const AREAS = ['policy', 'encryption'] as const;
export type Area = (typeof AREAS)[number];

/** The verbs of an area, or (undefined) those that are one word. */
export function verbsIn(area: Area | undefined): readonly CommandSpec[] {
  return VERBS.filter(({ name }) => (area === undefined ? !name.includes(' ') : name.startsWith(`${area} `)));
}

/** The second word of a verb of an area; the only word of any other. */
export function shortName({ name }: CommandSpec): string {
  return name.slice(name.indexOf(' ') + 1);
}

/** What may stand first: `canary`, `policy`. */
export function firstWords(): readonly string[] {
  return [...verbsIn(undefined).map(({ name }) => name), ...AREAS];
}

export function verbOf(name: string): CommandSpec | undefined {
  return VERBS.find((verb) => verb.name === name);
}
