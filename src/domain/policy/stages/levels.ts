import { canonicalJson } from '../../json.ts';
import type { Direction } from '../policy.ts';
import { forCohort, inDirection, isObject, type RuleJson, type SpecFields, withoutProxy } from './rule-document.ts';

/** What a pod is held to once a phase is over for it: the rules of the policy as far as it has come. */
export interface Level {
  readonly name: 'before' | 'ingress' | 'egress' | 'L7';
  readonly rules: readonly RuleJson[];
}

/**
 * From what is in force today to the whole candidate: ingress, then egress, both on layers 3 and 4, then layer 7. A phase that changes
 * nothing is left out. Where the policy replaces one that has a proxy's rules, layer 7 comes with its direction: nothing may be looser
 * on the way than it was before.
 */
export function levelsOf(before: readonly RuleJson[], candidate: readonly RuleJson[]): readonly Level[] {
  const isPlain = before.every((rule) => canonicalJson(withoutProxy(rule, { dns: true })) === canonicalJson(rule));
  const cut = (rules: readonly RuleJson[], direction: Direction) => rules.map((rule) => inDirection(rule, direction)).filter(isObject);
  const plain = (rules: readonly RuleJson[]) => (isPlain ? rules.map((rule) => withoutProxy(rule, { dns: true })) : rules);
  const step = (rules: readonly RuleJson[], direction: Direction) => cut(plain(rules), direction);
  const ingress = step(candidate, 'ingress');
  const levels: readonly Level[] = [
    { name: 'before', rules: before },
    { name: 'ingress', rules: [...ingress, ...cut(before, 'egress')] },
    { name: 'egress', rules: [...ingress, ...step(candidate, 'egress')] },
    { name: 'L7', rules: candidate },
  ];
  const changing = levels.filter((level, index) => index === 0 || meaning(level) !== meaning(levels[index - 1] as Level));
  // The last level is the candidate to the letter, so it takes the place of one that means the same.
  const last = changing.at(-1);
  return last && last.name !== 'before' ? [...changing.slice(0, -1), { ...last, rules: candidate }] : changing;
}

/** Two levels that hold a pod to the same, however they are cut into rules. */
function meaning({ rules }: Level): string {
  const parts = rules.flatMap((rule) => (['ingress', 'egress'] as const).map((direction) => inDirection(rule, direction)));
  return parts
    .flatMap((part) => (part ? canonicalJson(part) : []))
    .toSorted()
    .join('\n');
}

/** The policy while a cohort is a level ahead of the other pods. */
export function splitSpec(ahead: Level, behind: Level, opId: string): SpecFields {
  const specs = [...behind.rules.map((rule) => forCohort(rule, opId, 'out')), ...ahead.rules.map((rule) => forCohort(rule, opId, 'in'))];
  return { spec: null, specs };
}

/** The policy when all pods are at one level. */
export function wholeSpec({ rules }: Level): SpecFields {
  return { spec: null, specs: [...rules] };
}
