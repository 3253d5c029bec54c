import type { Json } from '../../src/domain/json.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import { same } from './differences.ts';
import { parentOf, valueAt } from './pointer.ts';

/**
 * Indexes, highest first, of the entries of a live list that this operation has put there: in a value it wrote, and neither in the list
 * as it was before nor more than once in the live one. Highest first, so that removing one does not move the next.
 */
export function insertedEntries(live: readonly Json[], before: Json | undefined, written: readonly Json[]): readonly number[] {
  const was = Array.isArray(before) ? (before as readonly Json[]) : [];
  const lists = written.filter((value): value is readonly Json[] => Array.isArray(value));
  const inserted = lists.flatMap((list) => list.filter((entry) => !was.some((each) => same(each, entry))));
  const places = live.flatMap((entry, index) => (inserted.some((each) => same(each, entry)) ? [index] : []));
  return places.filter((index) => places.filter((other) => same(live[other] ?? null, live[index] ?? null)).length === 1).toReversed();
}

/**
 * Would putting this weight back leave its rule without any weight? Another hand may have given all the traffic to this Service;
 * Gateway API answers 500 where the sum of weights is 0 (HTTPBackendRef.weight), which is worse than the wrong version.
 */
export function leavesNothing(object: KubeObject, at: string, before: Json): boolean {
  if (!at.endsWith('/weight') || before !== 0) return false;
  const entry = parentOf(at);
  const siblings = valueAt(object, parentOf(entry));
  if (!Array.isArray(siblings)) return false;
  return siblings.every((sibling, index) => entry.endsWith(`/${index}`) || (valueAt(sibling, '/weight') ?? 1) === 0);
}
