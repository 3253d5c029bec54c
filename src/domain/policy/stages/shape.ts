import { canonicalJson, type JsonObject } from '../../json.ts';
import type { PlannedStage } from '../../lifecycle/plan.ts';
import type { CompileWorld } from '../flow.ts';
import { parsePolicy } from '../parse.ts';
import type { Policy } from '../policy.ts';
import { type Between, type Breach, between } from '../reach/between.ts';
import { Groups } from '../reach/groups.ts';
import { type Shape, USUAL_SHAPE } from './levels.ts';
import { momentsOf } from './moments.ts';
import { hasUnseen, unmet } from './unseen.ts';

export interface ShapeInput {
  /** Policies that the operation does not change, as they are stored. */
  readonly others: readonly JsonObject[];
  /** The policy of the candidate's name as it is today. */
  readonly existing: JsonObject | undefined;
  readonly candidate: JsonObject;
  readonly world: CompileWorld;
  /** The stages by which a shape goes live. */
  readonly stagesOf: (shape: Shape) => readonly PlannedStage[];
}

export interface Shaped {
  readonly shape: Shape;
  /** Why the most careful way was not taken: flows that would have been open, or closed, for a while. */
  readonly breaches: readonly Breach[];
  /** There are too many kinds of flows to look at each; then the way is one that needs no proof. */
  readonly cut: boolean;
}

/** Everything at once, for every pod: there is nothing between before and after. */
const AT_ONCE: Shape = { order: [], split: [], cohorts: false };

/**
 * The most careful way by which nothing is allowed that is denied before and in the end, and nothing denied that is allowed both times.
 * Decided by the evaluator over everything that the rules tell apart. Yields often, so that a caller can let others have their turn.
 */
export function* shapeOf(input: ShapeInput): Generator<undefined, Shaped> {
  const breaches: Breach[] = [];
  let shape = USUAL_SHAPE;
  for (;;) {
    const { breach, cut } = yield* checkStages(input, input.stagesOf(shape));
    if (cut && !breach) return { shape: AT_ONCE, breaches, cut };
    if (!breach || shape === AT_ONCE) return { shape, breaches, cut: false };
    breaches.push(breach);
    shape = without(shape, breach);
  }
}

/** The same way without what opened or closed something. */
function without(shape: Shape, { direction }: Breach): Shape {
  if (direction !== undefined && shape.split.includes(direction))
    return { ...shape, split: shape.split.filter((one) => one !== direction) };
  // Both ends change: what the first one opens, the second one has not closed yet. Layers apart, the other order may do.
  if (direction === undefined && shape.split.length > 0) return { ...shape, split: [] };
  if (direction === undefined && shape.order[0] === 'ingress') return { ...shape, order: ['egress', 'ingress'] };
  return AT_ONCE;
}

/** Is any moment of these stages looser than the looser, or tighter than the tighter, of before and after? */
export function* checkStages(
  { others, existing, candidate, world }: Omit<ShapeInput, 'stagesOf'>,
  stages: readonly PlannedStage[],
): Generator<undefined, Between> {
  const moments = momentsOf(stages, existing);
  const all = [...others, candidate, ...(existing ? [existing] : [])];
  let isCut = false;
  const groups = new Groups();
  // Once as if every condition were met that the evaluator cannot see, and once as if none were.
  for (const seen of all.some(hasUnseen) ? [(one: JsonObject) => one, unmet] : [(one: JsonObject) => one]) {
    const parsed = parser(world, (one) => seen(groups.standIns(one)));
    const rest = parsed(others);
    const found = yield* between({
      before: { name: 'before', policies: [...rest, ...parsed(existing ? [existing] : [])] },
      after: { name: 'after', policies: [...rest, ...parsed([candidate])] },
      states: moments.map(({ stage, documents }) => ({ name: stage, policies: [...rest, ...parsed(documents)] })),
      world,
    });
    isCut ||= found.cut;
    if (found.breach) return { ...found, cut: isCut };
  }
  return { breach: undefined, cut: isCut };
}

/** What the engine makes of documents: one that it rejects has no effect. */
function parser(
  { clusterName }: CompileWorld,
  seen: (document: JsonObject) => JsonObject,
): (documents: readonly JsonObject[]) => readonly Policy[] {
  const known = new Map<string, readonly Policy[]>();
  const parse = (document: JsonObject): readonly Policy[] => {
    const parsed = parsePolicy(seen(document), clusterName === undefined ? {} : { clusterName });
    return parsed.ok ? [parsed.policy] : [];
  };
  return (documents) =>
    documents.flatMap((document) => {
      // One object for one text: what several moments share is decided once.
      const text = canonicalJson(document);
      const policies = known.get(text) ?? parse(document);
      known.set(text, policies);
      return policies;
    });
}

/** Runs to the end at once; for callers that share their thread with nobody. */
export function atOnce<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
