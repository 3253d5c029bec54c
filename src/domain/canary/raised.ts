import { type Original, objectKey, type PlannedStage } from '../lifecycle/plan.ts';
import { CANARY_ANNOTATION, type MovedRule } from './route.ts';
import { earlierWeights, refOf, weightAt } from './stages.ts';
import { shareOf } from './weights.ts';

/** A canary that gains by a plan in which another Service falls: shares in percent. */
interface Raised {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const MORE = 1e-9;

/**
 * Where one Service falls, the others gain. That is a way back only if whoever gains most is no canary: one by its name or by the annotation, or
 * the Service that the last operation has exposed, beyond what it had before. Else it is a change of that one, by another name.
 */
export function raisedBy(
  { name: receiver, rules }: { readonly name: string; readonly rules: readonly MovedRule[] },
  last: PlannedStage | undefined,
  originals: readonly Original[],
): Raised | undefined {
  for (const rule of rules) {
    const { route, index, backends } = rule;
    const fields = last?.writes.find(({ object }) => objectKey(object) === objectKey(refOf(route)))?.after;
    if (!fields) continue;
    const base = (at: number): string => `/spec/rules/${index}/backendRefs/${at}`;
    const shareAt = (weights: readonly number[], at: number): number =>
      shareOf(weights.map((weight, each) => ({ weight, receives: each === at })));
    const today = backends.map(({ weight }) => weight);
    const then = backends.map((_, at) => weightAt(fields, base(at)));
    const [most] = [...backends.keys()].toSorted((a, b) => (then[b] ?? 0) - (then[a] ?? 0));
    if (most === undefined || backends[most]?.receives) continue;
    const [from, to] = [shareAt(today, most), shareAt(then, most)];
    if (to <= from + MORE) continue;
    const { name } = backends[most] as { readonly name: string };
    const isNamed = name === `${receiver}-canary` || route.metadata.annotations?.[CANARY_ANNOTATION] === name;
    const own = originals.find(({ uid }) => uid === route.metadata.uid)?.own ?? [];
    const before = own.includes(`${base(most)}/weight`) ? earlierWeights(rule, originals) : undefined;
    const isExposed = before !== undefined && to > shareAt(before, most) + MORE;
    if (isNamed || isExposed) return { name, from, to };
  }
  return undefined;
}
