import type { Fields, ObjectRef, Original, PlannedStage, Write } from '../lifecycle/plan.ts';
import { formatPercent } from '../words/percent.ts';
import type { HttpRoute, MovedRule } from './route.ts';
import { shareOf, shiftWeights } from './weights.ts';

/** Weights of one rule at each stage, as long as the list of stages. */
interface Climb {
  readonly rule: MovedRule;
  readonly weights: readonly (readonly number[])[];
}

export function refOf(route: HttpRoute): ObjectRef {
  const { name, namespace } = route.metadata;
  return { apiVersion: route.apiVersion, kind: route.kind, namespace, name };
}

/**
 * The stages that bring every rule to the last of `shares` (percent). No rule goes against the direction: one that is already further
 * waits until the others have come up. Every stage is computed from today's weights, so rounding never adds up. Returns the first rule
 * whose proportions are unknown instead, where there is one.
 */
export function stagesOf(
  rules: readonly MovedRule[],
  shares: readonly number[],
  firstStage: number,
  originals: readonly Original[] = [],
): readonly PlannedStage[] | { readonly unknown: MovedRule } {
  const target = shares.at(-1) ?? 0;
  const climbs: Climb[] = [];
  for (const rule of rules) {
    const today = shareOf(rule.backends);
    const [low, high] = [Math.min(today, target), Math.max(today, target)];
    const weights = shares.map((share) => Math.min(high, Math.max(low, share)));
    const shifted = weights.map((share) =>
      share === today ? weightsOf(rule) : shiftWeights(rule.backends, share, earlierWeights(rule, originals)),
    );
    if (shifted.some((each) => each === undefined)) return { unknown: rule };
    climbs.push({ rule, weights: shifted.flatMap((each) => (each ? [each] : [])) });
  }
  const moving = new Set(
    climbs.filter(({ rule, weights }) => weights.some((each) => !same(each, weightsOf(rule)))).map(({ rule }) => rule.route),
  );
  const routes = [...new Set(rules.map(({ route }) => route))].filter((route) => moving.has(route));
  return shares.map((share, stage) => ({
    number: firstStage + stage,
    label: formatPercent(share),
    exposure: share / 100,
    // Nobody is sent to the canary: there is nothing to see.
    ...(share === 0 && { soakMs: 0 }),
    writes: routes.map((route) =>
      writeOf(
        route,
        climbs.filter(({ rule }) => rule.route === route),
        stage,
      ),
    ),
  }));
}

function writeOf(route: HttpRoute, climbs: readonly Climb[], stage: number): Write {
  const { uid, generation } = route.metadata;
  return { object: refOf(route), uid, generation, before: fieldsAt(climbs, stage - 1), after: fieldsAt(climbs, stage) };
}

/**
 * The managed fields after a stage (-1 = today). Names are managed too, so that a list in another order is noticed. An absent weight is
 * `null`, and stays absent until the stage that changes its value.
 */
function fieldsAt(climbs: readonly Climb[], stage: number): Fields {
  const fields: Record<string, string | number | null> = {};
  for (const { rule, weights } of climbs) {
    rule.backends.forEach((backend, at) => {
      const base = `/spec/rules/${rule.index}/backendRefs/${at}`;
      const written = rule.route.spec.rules?.[rule.index]?.backendRefs?.[at]?.weight ?? null;
      const touched = weights.slice(0, stage + 1).some((each) => each[at] !== backend.weight);
      fields[`${base}/name`] = backend.name;
      fields[`${base}/weight`] = stage >= 0 && touched ? (weights[stage]?.[at] ?? null) : written;
    });
  }
  return fields;
}

/** The rule's weights before the operation, where its record has them: proportions of backends that are all at 0 today. */
export function earlierWeights(rule: MovedRule, originals: readonly Original[]): readonly number[] | undefined {
  const { uid } = rule.route.metadata;
  const fields = originals.find((original) => original.uid === uid)?.fields;
  return fields && rule.backends.map((_, at) => weightAt(fields, `/spec/rules/${rule.index}/backendRefs/${at}`));
}

/** A weight as Gateway API counts it: absent = 1, but 0 where the fields do not know the backend at all. */
export function weightAt(fields: Fields, base: string): number {
  if (fields[`${base}/name`] === undefined) return 0;
  const weight = fields[`${base}/weight`];
  return typeof weight === 'number' ? weight : 1;
}

function weightsOf({ backends }: MovedRule): readonly number[] {
  return backends.map(({ weight }) => weight);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.every((each, index) => each === b[index]);
}
