import type { Json } from '../../src/domain/json.ts';
import type { Fields, Original } from '../../src/domain/plan.ts';
import { objectKey } from '../../src/domain/plan.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import type { Difference, RestoreInput } from '../contract.ts';
import { difference, same } from './differences.ts';
import { managerOf } from './managers.ts';
import { insertedEntries, leavesNothing } from './own.ts';
import { parentOf, valueAt } from './pointer.ts';

/** What a restore may put back in one live object, and what it must leave alone. */
export interface Ours {
  /** Values that are live now, by pointer into the live object. */
  readonly from: Fields;
  readonly to: Fields;
  /** Another hand's values. */
  readonly drift: readonly Difference[];
}

/** One managed field as it is now. `at`: where it is, undefined when its entry cannot be found for certain. */
interface Found {
  readonly field: string;
  readonly at: string | undefined;
  readonly before: Json;
  readonly live: Json;
  readonly isOurs: boolean;
}

/**
 * Sorts the managed fields of a live object: what this operation may have written (any stage's value, or the original) is
 * ours; anything else was written by another hand and stays. Fields that no stage changes (the name beside a weight) say
 * which entry a value belongs to: an entry that has moved within its list is followed, one that is gone is left. Where another hand
 * has written, only the operation's own fields (`original.own`) go back, and what it inserted into a list goes.
 */
export function sortFields(object: KubeObject, original: Original, written: RestoreInput['written']): Ours {
  const mine = valuesOf(original, written);
  const found = findFields(object, original, mine);
  const drift = found.flatMap(({ field, at, before, live, isOurs }) => {
    if (isOurs && at === field) return [];
    const where = at !== undefined && !isOurs ? at : field;
    const value = where === at ? live : valueAt(object, field);
    return [difference(original.object, where, before, value, managerOf(object, where))];
  });
  const isForeign = found.some(({ isOurs }) => !isOurs);
  const { own } = original;
  const back = found.filter(({ field, isOurs }) => (isForeign && own ? own.includes(field) : isOurs));
  const from: Record<string, Json> = {};
  const to: Record<string, Json> = {};
  for (const { field, at, before, live, isOurs } of back) {
    if (at === undefined) continue;
    if (isOurs) [from[at], to[at]] = [live, before];
    else if (Array.isArray(live)) {
      const inserted = insertedEntries(live, original.fields[field], mine.get(field) ?? []);
      for (const index of inserted) [from[`${at}/${index}`], to[`${at}/${index}`]] = [live[index] as Json, null];
    } else if (!leavesNothing(object, at, before)) [from[at], to[at]] = [live, before];
  }
  return { from, to, drift };
}

function findFields(object: KubeObject, original: Original, mine: ReadonlyMap<string, readonly Json[]>): readonly Found[] {
  const groups = Map.groupBy(Object.keys(original.fields), parentOf);
  return [...groups].flatMap(([parent, fields]) => {
    const fixed = fields.filter((field) => isFixed(original.fields[field] ?? null, mine.get(field) ?? []));
    const place = placeOf(object, parent, fixed, original.fields);
    return fields.map((field): Found => {
      const before = original.fields[field] ?? null;
      if (place === undefined) return { field, at: undefined, before, live: null, isOurs: false };
      const at = `${place}${field.slice(parent.length)}`;
      const live = valueAt(object, at);
      const isOurs = same(live, before) || (mine.get(field) ?? []).some((value) => same(value, live));
      return { field, at, before, live, isOurs };
    });
  });
}

/** Every value this operation may have written, by pointer. */
function valuesOf(original: Original, written: RestoreInput['written']): ReadonlyMap<string, readonly Json[]> {
  const key = objectKey(original.object);
  const writes = written.flatMap((stage) => stage.writes).filter((write) => objectKey(write.object) === key);
  return new Map(
    Object.keys(original.fields).map((field) => [
      field,
      // A stage that leaves a field out does not touch it.
      writes.flatMap(({ before, after }) => [before, after].filter((fields) => field in fields).map((fields) => fields[field] ?? null)),
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
