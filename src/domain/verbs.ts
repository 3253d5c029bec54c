import type { Command } from './command.ts';
import { GUARDING_VERBS } from './verbs/guarding.ts';
import { POLICY_VERBS } from './verbs/policy.ts';

/** Verbs that change the mesh. Each has a folder in src/domain/, a file in workflows/, a folder in activities/ and one entry in VERBS. */
export const VERB_NAMES = ['canary', 'policy'] as const;
export type VerbName = (typeof VERB_NAMES)[number];

/** A command as people type it: `/mesh promote shop/backend`, `/policy relax shop/frontend`. `slash`: the names of the slash commands. */
export function typed(slash: Readonly<Record<Area | 'mesh', string>>, name: CommandName, behind: string): string {
  const [first, second] = name.split(' ');
  const area = AREAS.find((one) => one === first);
  return area && second ? `${slash[area]} ${second} ${behind}` : `${slash.mesh} ${name} ${behind}`;
}

/** The verb of an operation, from its id; undefined when it is none of ours. */
export function verbIn(opId: string): VerbName | undefined {
  return VERB_NAMES.find((name) => opId.startsWith(`${name}-`));
}

/** The first word of a command, or the first two where the first names an area. */
export type CommandName = Command['kind'];

/** A flag of a command; what it takes stands in command/flags.ts. */
export type FlagName =
  | 'steps'
  | 'soak'
  | 'slo'
  | 'latency'
  | 'budget'
  | 'probe'
  | 'reason'
  | 'include-other-namespaces'
  | 'window'
  | 'no-observe'
  | 'accept'
  | 'replace'
  | 'no-dryrun';

/** One name: what it takes, what it means, whether people must agree before it acts. */
export interface Verb {
  readonly name: CommandName;
  /** The line that stands behind the command, e.g. `/mesh`. */
  readonly grammar: string;
  /** One line for the list of all verbs. */
  readonly summary: string;
  readonly help: readonly string[];
  readonly examples: readonly string[];
  readonly flags: readonly FlagName[];
  /** Gate default where the configuration names none: a change waits for an approval, a way back never does. */
  readonly gate: 'required' | 'none';
  /** Whose gate a way back takes where it needs one after all: it comes late, or it raises somebody's share. */
  readonly gatedAs?: CommandName;
  /** The lifecycle that the command starts or continues; absent where it only reads or stops. */
  readonly changes?: VerbName;
}

export const VERBS: readonly Verb[] = [
  {
    name: 'canary',
    grammar:
      'canary [cluster/][namespace/]name <percent>% [--steps 5,10,25] [--soak 2m] [--slo 1%|relative] [--latency 500ms] [--budget 20] [--probe 5/s] [--include-other-namespaces] [--reason "…"]',
    summary: 'Send a share of the traffic to the canary, in steps, watched, with automatic rollback.',
    help: [
      'The share goes to the Service named in the annotation `meshops.dev/canary` of a route, else to `<name>-canary` beside `<name>`, else to `<name>` itself where it has the smaller share. The plan says who gains and who loses before anything is changed.',
      'Up to 10% is one step; more climbs the configured rungs. `--steps` names the rungs, `--soak` how long each is watched, `--slo` the share of failures that is allowed, `--latency` from when on an answer counts as a failure.',
      '`--slo relative` holds the canary to what the others do in the same time, where they break the objective themselves. `--budget` ends the operation at so many failures above the objective, whatever chance says.',
      '`--probe` sends requests of its own through the gateway while a stage is watched, for a service with little traffic; they count for the side they reach and are told apart.',
      'Every rule of every route in the namespace moves together. Where routes of other namespaces name the service too, the command is refused unless `--include-other-namespaces` says that they are meant.',
      'A harmful canary is taken back at once, before anyone is asked. 0% and 100% are ordinary values; percents go in steps of 0.1.',
    ],
    examples: [
      'canary backend 10%',
      'canary shop/backend 50% --steps 5,10,25 --soak 2m',
      'canary backend 0.5% --slo 0.5% --reason "new cache"',
    ],
    flags: ['steps', 'soak', 'slo', 'latency', 'budget', 'probe', 'include-other-namespaces', 'reason'],
    gate: 'required',
    changes: 'canary',
  },
  {
    name: 'promote',
    grammar:
      'promote [cluster/][namespace/]name [--steps 25,50] [--soak 2m] [--slo 1%|relative] [--latency 500ms] [--budget 20] [--probe 5/s] [--include-other-namespaces] [--reason "…"]',
    summary: 'Take the canary on to 100%.',
    help: ['The same as `canary <service> 100%`. An operation that is still watched goes on; "before" stays what it was before it began.'],
    examples: ['promote backend', 'promote backend --soak 5m'],
    flags: ['steps', 'soak', 'slo', 'latency', 'budget', 'probe', 'include-other-namespaces', 'reason'],
    gate: 'required',
    changes: 'canary',
  },
  {
    name: 'rollback',
    grammar: 'rollback [cluster/][namespace/]name [--reason "…"]',
    summary: 'Put a service back as it was before its last operation.',
    help: [
      'Rolls back what runs, else what completed last. It is free for a day after that, and later takes the gate of the change itself. What would raise a share again climbs and is watched like any change.',
      'Refused where somebody else has changed the same fields since; the difference is shown then. What is rolled back already is not rolled back again.',
    ],
    examples: ['rollback backend', 'rollback backend --reason "customers complain"'],
    flags: ['reason'],
    gate: 'none',
    gatedAs: 'canary',
    changes: 'canary',
  },
  {
    name: 'abort',
    grammar: 'abort <operation or service> [reason]',
    summary: 'Stop a running operation and put everything back.',
    help: ['Takes the id of the operation or the service it runs on. Needs no approval: stopping is the safe direction.'],
    examples: ['abort backend', 'abort shop/backend error budget is spent'],
    flags: ['reason'],
    gate: 'none',
  },
  {
    name: 'status',
    grammar: 'status [[cluster/][namespace/]name]',
    summary: 'What runs now, which stage, who asked, since when.',
    help: ['Without a service: every operation that runs.'],
    examples: ['status', 'status backend'],
    flags: [],
    gate: 'none',
  },
  {
    name: 'help',
    grammar: 'help [verb]',
    summary: 'This list, or one verb explained.',
    help: [],
    examples: ['help', 'help canary', 'help policy'],
    flags: [],
    gate: 'none',
  },
  ...GUARDING_VERBS,
  ...POLICY_VERBS,
];

/** First words that name a group of verbs: what stands before the second word. */
export const AREAS = ['policy'] as const;
export type Area = (typeof AREAS)[number];

/** The verbs of an area, or (undefined) those that are one word. */
export function verbsIn(area: Area | undefined): readonly Verb[] {
  return VERBS.filter(({ name }) => (area === undefined ? !name.includes(' ') : name.startsWith(`${area} `)));
}

/** The second word of a verb of an area; the only word of any other. */
export function shortName({ name }: Verb): string {
  return name.slice(name.indexOf(' ') + 1);
}

/** What may stand first: `canary`, `policy`. */
export function firstWords(): readonly string[] {
  return [...verbsIn(undefined).map(({ name }) => name), ...AREAS];
}

/** Areas and verbs that are planned but not there: named so that nobody takes silence for a typing mistake. */
export const LATER: Readonly<Record<string, string>> = {
  encryption: 'Encryption node by node (on, off, rotate)',
};

/** One line of help, for whoever renders it. */
export interface HelpLine {
  readonly kind: 'title' | 'text' | 'grammar' | 'example';
  readonly text: string;
}

export function verbOf(name: string): Verb | undefined {
  return VERBS.find((verb) => verb.name === name);
}

/** Help for one verb, for an area that comes later (which says what there is today), or for all. */
export function helpFor(topic?: string): readonly HelpLine[] {
  const verb = topic === undefined ? undefined : verbOf(topic);
  if (verb && verb.help.length > 0) {
    return [
      { kind: 'title', text: verb.summary },
      { kind: 'grammar', text: verb.grammar },
      ...verb.help.map((text): HelpLine => ({ kind: 'text', text })),
      { kind: 'text', text: verb.gate === 'required' ? 'Waits for an approval unless the rules say otherwise.' : 'Needs no approval.' },
      ...verb.examples.map((text): HelpLine => ({ kind: 'example', text })),
    ];
  }
  const later = topic !== undefined && Object.hasOwn(LATER, topic) ? LATER[topic] : undefined;
  return [
    ...(later === undefined ? [] : [laterLine(later)]),
    { kind: 'title', text: 'Change the mesh in steps, with approval, watched on live traffic, taken back by itself when it does harm.' },
    ...(AREAS.find((one) => one === topic) ? verbsIn(topic as Area) : VERBS).flatMap((each): HelpLine[] => [
      { kind: 'grammar', text: each.grammar },
      { kind: 'text', text: each.summary },
    ]),
  ];
}

function laterLine(what: string): HelpLine {
  return {
    kind: 'text',
    text: `${what}: not there yet. Nothing was changed. What there is today: ${firstWords().join(', ')}.`,
  };
}
