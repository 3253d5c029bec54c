import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { Json } from '../../src/domain/json.ts';
import type { RestoreInput } from '../../src/domain/lifecycle/contract.ts';
import type { Difference } from '../../src/domain/lifecycle/contract-undo.ts';
import { type Fields, type Original, objectKey, type Write } from '../../src/domain/lifecycle/plan.ts';
import { parentOf, valueAt } from '../../src/domain/lifecycle/pointer.ts';
import { difference, same } from './differences.ts';
import { managerOf } from './managers.ts';
import { entryOf, type Moved, movedEntries, placeIn } from './moved.ts';
import { insertedEntries, isOfOneList, isWeight, weightsBack } from './own.ts';

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
 * which entry a value belongs to: an entry that has moved within its list is followed, and so is a rule among the others; one that is gone is
 * left. What others have copied as it stood goes back with it. Where another hand has written, only the operation's own fields
 * (`original.own`) go back, and what it inserted into a list goes; of weights only what takes from the share that they give (`weightsBack`).
 */
export function sortFields(object: KubeObject, original: Original, { written, harm }: Pick<RestoreInput, 'written' | 'harm'>): Ours {
  const writes = writesOf(original, written);
  const mine = valuesOf(original, writes);
  const found = findFields(
    object,
    original,
    mine,
    writes.map(({ after }) => after),
  );
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
    } else if (isWeight(at)) {
      const list = found.filter((other) => other.at !== undefined && isOfOneList(other.at, at));
      for (const each of weightsBack(object, { at, before, live }, list, harm === true))
        if (each.at !== undefined) [from[each.at], to[each.at]] = [each.live, each.before];
    } else [from[at], to[at]] = [live, before];
  }
  return { from, to, drift };
}

function findFields(
  object: KubeObject,
  original: Original,
  mine: ReadonlyMap<string, readonly Json[]>,
  written: readonly Fields[],
): readonly Found[] {
  const { fields: was } = original;
  const fixed = Object.keys(was).filter((field) => isFixed(was[field] ?? null, mine.get(field) ?? []));
  const moved = movedEntries(object, { fields: was, fixed, written });
  const groups = Map.groupBy(Object.keys(was), parentOf);
  return [...groups].flatMap(([parent, fields]) => {
    const names = fields.filter((field) => fixed.includes(field) && typeof was[field] === 'string');
    return placesOf(object, parent, names, was, moved).flatMap((place) =>
      fields.map((field): Found => {
        const before = was[field] ?? null;
        if (place === undefined) return { field, at: undefined, before, live: null, isOurs: false };
        const at = `${place}${field.slice(parent.length)}`;
        const live = valueAt(object, at);
        const isOurs = same(live, before) || (mine.get(field) ?? []).some((value) => same(value, live));
        return { field, at, before, live, isOurs };
      }),
    );
  });
}

/** Where the thing that holds these fields is now, and where copies of it are; undefined: nowhere for certain. */
function placesOf(
  object: KubeObject,
  parent: string,
  names: readonly string[],
  fields: Fields,
  moved: ReadonlyMap<string, Moved>,
): readonly (string | undefined)[] {
  const entry = entryOf(object, `${parent}/`);
  const now = entry === undefined ? undefined : moved.get(entry);
  if (entry === undefined || !now) return [placeIn(object, parent, parent, names, fields)];
  const within = (to: string) => placeIn(object, `${to}${parent.slice(entry.length)}`, parent, names, fields);
  return [now.to === undefined ? undefined : within(now.to), ...now.copies.flatMap((copy) => within(copy) ?? [])];
}

function writesOf(original: Original, written: RestoreInput['written']): readonly Write[] {
  const key = objectKey(original.object);
  return written.flatMap((stage) => stage.writes).filter((write) => objectKey(write.object) === key);
}

/** Every value this operation may have written, by pointer. */
function valuesOf(original: Original, writes: readonly Write[]): ReadonlyMap<string, readonly Json[]> {
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
