import { canonicalJson, isObject } from '../../json.ts';
import type { Direction } from '../policy.ts';
import { forCohort, inDirection, type RuleJson, type SpecFields, withoutProxy } from './rule-document.ts';

/** What a pod is held to once a phase is over for it: the rules of the policy as far as it has come. */
export interface Level {
  readonly name: 'before' | Direction | 'L7' | 'policy';
  readonly rules: readonly RuleJson[];
}

/** The way from one policy to another. */
export interface Shape {
  /** Directions in the order in which they come; empty: the whole policy at once. */
  readonly order: readonly Direction[];
  /** Directions that come on layers 3 and 4 first, and are brought under their proxies and authentication in a phase of their own. */
  readonly split: readonly Direction[];
  /** False: every phase reaches all pods at once. */
  readonly cohorts: boolean;
}

/** The most careful way, if nothing else speaks against it. */
export const USUAL_SHAPE: Shape = { order: ['ingress', 'egress'], split: ['ingress', 'egress'], cohorts: true };

/** From what is in force today to the whole candidate. A phase that changes nothing is left out. */
export function levelsOf(
  before: readonly RuleJson[],
  candidate: readonly RuleJson[],
  { order, split }: Shape = USUAL_SHAPE,
): readonly Level[] {
  const cut = (rules: readonly RuleJson[], direction: Direction) => rules.map((rule) => inDirection(rule, direction)).filter(isObject);
  const step = (direction: Direction) =>
    cut(split.includes(direction) ? candidate.map((rule) => withoutProxy(rule, { dns: 'kept' })) : candidate, direction);
  const [now, then] = [before, candidate].map((rules) => meaning({ name: 'policy', rules }));
  if (now === then) return [{ name: 'before', rules: before }];
  const phases = order.map((name, index): Level => {
    const reached = order.slice(0, index + 1);
    return { name, rules: [...reached.flatMap(step), ...order.slice(index + 1).flatMap((direction) => cut(before, direction))] };
  });
  const levels: readonly Level[] = [
    { name: 'before', rules: before },
    ...phases,
    { name: order.length === 0 ? 'policy' : 'L7', rules: candidate },
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
