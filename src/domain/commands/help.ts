// What help says of the commands: by area, and of one of them.
import type { FlagName } from './command.ts';
import type { CommandSpec } from './spec.ts';
import { type Area, verbsIn } from './verbs.ts';

/** What help groups the commands by. Those of one word change the traffic, or guard what changes. */
export const HELP_AREAS = ['traffic', 'policy', 'encryption', 'guarding'] as const satisfies readonly (Area | 'traffic' | 'guarding')[];
export type HelpArea = (typeof HELP_AREAS)[number];

export function commandsIn(area: HelpArea): readonly CommandSpec[] {
  if (area === 'policy' || area === 'encryption') return verbsIn(area);
  return verbsIn(undefined).filter(({ changes }) => (changes !== undefined) === (area === 'traffic'));
}

/** The example that says most in a list: the first one with something behind the command's name. */
export function exampleOf({ name, examples }: CommandSpec): string {
  return examples.find((example) => example !== name) ?? name;
}

/** An option as it is typed, and what it is for. */
export const OPTION_WORDS: Readonly<Record<FlagName, readonly [typed: string, words: string]>> = {
  steps: ['--steps 5,10,25', 'which steps'],
  soak: ['--soak 2m', 'how long each is watched'],
  slo: ['--slo 1%', 'allowed failures, or `relative`'],
  latency: ['--latency 500ms', 'slower counts as failed'],
  budget: ['--budget 20', 'most extra failures'],
  probe: ['--probe 5/s', 'own requests'],
  'include-other-namespaces': ['--include-other-namespaces', 'their routes too'],
  window: ['--window 10m', 'how long it looks'],
  'no-observe': ['--no-observe', 'enforce without observing first'],
  accept: ['--accept key,…', 'drops that are meant'],
  replace: ['--replace', 'also a policy that protects other pods'],
  'no-dryrun': ['--no-dryrun', 'plan without a dry-run'],
  since: ['--since 7d', 'how far back'],
  who: ['--who operator', 'who asked'],
  verb: ['--verb canary', 'what kind of change'],
  outcome: ['--outcome rolled-back', 'how it ended'],
  reason: ['--reason "…"', 'why, for the approvers'],
  emergency: ['--emergency "…"', 'without approval; two others review it'],
};

/** Words for what is not there yet, and what there is instead: texts that may stand behind `/mesh`. */
export const PLANNED: Readonly<Record<string, readonly string[]>> = {
  diagnose: ['status backend', 'policy explain frontend -> backend:8080'],
  flows: ['policy explain frontend -> backend:8080', 'policy dryrun frontend'],
  denied: ['policy dryrun frontend', 'policy status frontend'],
  limit: ['canary backend 0%', 'rollback backend'],
  mirror: ['canary backend 1%'],
};
