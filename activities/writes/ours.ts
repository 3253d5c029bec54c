import type { Json } from '../../src/domain/json.ts';
import type { Fields, Original } from '../../src/domain/plan.ts';
import { objectKey } from '../../src/domain/plan.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import type { Difference, RestoreInput } from '../contract.ts';
import { difference, same } from './differences.ts';
import { managerOf } from './managers.ts';
import { parentOf, valueAt } from './pointer.ts';

/** What a restore may put back in one live object, and what it must leave alone. */
export interface Ours {
  /** Values of ours that are live now, by pointer into the live object. */
  readonly from: Fields;
  readonly to: Fields;
  /** Another hand's values. */
  readonly drift: readonly Difference[];
}

/**
 * Sorts the managed fields of a live object: what this operation may have written (any stage's value, or the original) is
 * ours; anything else was written by another hand and stays. Fields that no stage changes (the name beside a weight) say
 * which entry a value belongs to: an entry that has moved within its list is followed, one that is gone is left.
 */
export function sortFields(object: KubeObject, original: Original, written: RestoreInput['written']): Ours {
  const mine = valuesOf(original, written);
  const groups = Map.groupBy(Object.keys(original.fields), parentOf);
  const from: Record<string, Json> = {};
  const to: Record<string, Json> = {};
  const drift: Difference[] = [];
  for (const [parent, fields] of groups) {
    const fixed = fields.filter((field) => isFixed(original.fields[field] ?? null, mine.get(field) ?? []));
    const place = placeOf(object, parent, fixed, original.fields);
    for (const field of fields) {
      const before = original.fields[field] ?? null;
      if (place === undefined) {
        drift.push(difference(original.object, field, before, valueAt(object, field), managerOf(object, field)));
        continue;
      }
      const at = `${place}${field.slice(parent.length)}`;
      const live = valueAt(object, at);
      if (!same(live, before) && !(mine.get(field) ?? []).some((value) => same(value, live))) {
        drift.push(difference(original.object, at, before, live, managerOf(object, at)));
        continue;
      }
      from[at] = live;
      to[at] = before;
      if (place !== parent) drift.push(difference(original.object, field, before, valueAt(object, field), managerOf(object, field)));
    }
  }
  return { from, to, drift };
}

/** Every value this operation may have written, by pointer. */
function valuesOf(original: Original, written: RestoreInput['written']): ReadonlyMap<string, readonly Json[]> {
  const key = objectKey(original.object);
  const writes = written.flatMap((stage) => stage.writes).filter((write) => objectKey(write.object) === key);
  return new Map(
    Object.keys(original.fields).map((field) => [
      field,
      writes.flatMap(({ before, after }) => [before[field] ?? null, after[field] ?? null]),
    ]),
  );
}

function isFixed(before: Json, values: readonly Json[]): boolean {
  return values.length > 0 && values.every((value) => same(value, before));
}

/** Where the entry that the fixed fields name is now: the same place, another index of its list, or nowhere for certain. */
function placeOf(object: KubeObject, parent: string, fixed: readonly string[], fields: Fields): string | undefined {
  const names = fixed.filter((field) => typeof fields[field] === 'string');
  const isIt = (place: string): boolean =>
    names.every((field) => same(valueAt(object, `${place}${field.slice(parent.length)}`), fields[field] ?? null));
  if (isIt(parent)) return parent;
  const list = parentOf(parent);
  const siblings = valueAt(object, list);
  if (!Array.isArray(siblings)) return undefined;
  const places = siblings.map((_, index) => `${list}/${index}`).filter(isIt);
  return places.length === 1 ? places[0] : undefined;
}
