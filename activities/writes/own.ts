import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { Json } from '../../src/domain/json.ts';
import type { Original } from '../../src/domain/lifecycle/plan.ts';
import { parentOf, valueAt } from '../../src/domain/lifecycle/pointer.ts';
import { same } from './differences.ts';

/**
 * Indexes, highest first, of the entries of a live list that this operation has put there: in a value it wrote, and neither in the list
 * as it was before nor more than once in the live one. One that has a name is known by it, whatever others have changed in it since. Highest
 * first, so that removing one does not move the next.
 */
export function insertedEntries(live: readonly Json[], before: Json | undefined, written: readonly Json[]): readonly number[] {
  const was = Array.isArray(before) ? (before as readonly Json[]) : [];
  const lists = written.filter((value): value is readonly Json[] => Array.isArray(value));
  const inserted = lists.flatMap((list) => list.filter((entry) => !was.some((each) => same(each, entry))));
  const places = live.flatMap((entry, index) => (inserted.some((each) => same(each, entry) || isNamesake(each, entry)) ? [index] : []));
  return places.filter((index) => places.filter((other) => same(live[other] ?? null, live[index] ?? null)).length === 1).toReversed();
}

function isNamesake(one: Json, other: Json): boolean {
  const name = valueAt(one, '/name');
  return typeof name === 'string' && name === valueAt(other, '/name');
}

/**
 * Would putting this weight back leave its rule without any weight? Another hand may have given all the traffic to this Service;
 * Gateway API answers 500 where the sum of weights is 0 (HTTPBackendRef.weight), which is worse than the wrong version.
 */
function leavesNothing(object: KubeObject, at: string, before: Json): boolean {
  if (before !== 0) return false;
  const entry = parentOf(at);
  const siblings = valueAt(object, parentOf(entry));
  if (!Array.isArray(siblings)) return false;
  return siblings.every((sibling, index) => entry.endsWith(`/${index}`) || (valueAt(sibling, '/weight') ?? 1) === 0);
}

/** A weight as it is and as it was before the operation; `at`: where it is. */
interface Weight {
  readonly at: string | undefined;
  readonly before: Json;
  readonly live: Json;
}

/**
 * What goes back of a weight of this operation that another hand has changed. A way back raises nobody's share: it goes back alone where
 * that lowers it and leaves somebody else any. Else it stays as they have set it, unless it does harm with a larger share than before:
 * then the whole list (`list`: the weights of it that the operation manages) goes back.
 */
export function weightsBack(object: KubeObject, own: Weight, list: readonly Weight[], harm: boolean): readonly Weight[] {
  if (own.at !== undefined && weight(own.before) < weight(own.live) && !leavesNothing(object, own.at, own.before)) return [own];
  const share = (of: 'before' | 'live'): number => weight(own[of]) / list.reduce((sum, each) => sum + weight(each[of]), 0);
  return harm && share('before') < share('live') ? list : [];
}

/** HTTPBackendRef.weight is 1 where it is left out. */
function weight(value: Json): number {
  return Number(value ?? 1);
}

export function isWeight(pointer: string): boolean {
  return pointer.endsWith('/weight');
}

/** Are two pointers weights of entries of one list? */
export function isOfOneList(one: string, other: string): boolean {
  return isWeight(one) && isWeight(other) && parentOf(parentOf(one)) === parentOf(parentOf(other));
}

/** Has what this operation exposed more weight in the live object than before it? */
export function isExposedBeyond(object: KubeObject, { own = [], fields }: Original): boolean {
  return own.some((field) => isWeight(field) && weight(valueAt(object, field)) > weight(fields[field] ?? null));
}
