import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { Json } from '../../src/domain/json.ts';
import type { Fields } from '../../src/domain/lifecycle/plan.ts';
import { parentOf, valueAt } from '../../src/domain/lifecycle/pointer.ts';
import { same } from './differences.ts';

/** What is looked for in a live object: values by pointer, as they were when these pointers were made. */
interface Sought {
  readonly fields: Fields;
  /** Fields that no stage changes: they say which entry of a list is meant. */
  readonly fixed: readonly string[];
  /** What each stage has written. */
  readonly written: readonly Fields[];
}

/** Where one entry is now. */
export interface Moved {
  /** Undefined: nowhere for certain. */
  readonly to: string | undefined;
  /** Entries that hold the very same that the operation has written, and are none of its own: another hand has copied what it found. */
  readonly copies: readonly string[];
}

/** An entry of the outer list may be another one: names fit; it holds what we wrote; it is where it was. */
const [FITS, HOLDS_OURS, SAME_PLACE] = [1, 4, 0.5] as const;

/**
 * Where the entries of the outermost list (the rules of a route) that the fields name are now. Another hand may have put a rule before
 * ours, or taken one away: the same index is then another rule. Entries keep their order; of several that fit, the one counts that holds
 * what the operation has written. By the pointer of each entry as it was.
 */
export function movedEntries(object: KubeObject, sought: Sought): ReadonlyMap<string, Moved> {
  const entries = Map.groupBy(Object.keys(sought.fields), (field) => entryOf(object, field));
  const byList = Map.groupBy(
    [...entries.keys()].filter((entry) => entry !== undefined),
    parentOf,
  );
  const moved = new Map<string, Moved>();
  for (const [list, inList] of byList) {
    const inOrder = inList.toSorted((a, b) => indexOf(a) - indexOf(b));
    const length = (valueAt(object, list) as readonly Json[]).length;
    const scores = inOrder.map((entry) =>
      Array.from({ length }, (_, index) => scoreOf(object, sought, { entry, own: entries.get(entry) ?? [], index, list })),
    );
    const places = assign(scores);
    const copied = new Set<number>(places.filter((place) => place !== undefined));
    for (const [at, entry] of inOrder.entries()) {
      const place = places[at];
      const alike = [...(scores[at] ?? []).keys()].filter((index) => (scores[at]?.[index] ?? 0) > HOLDS_OURS && !copied.has(index));
      for (const index of alike) copied.add(index);
      moved.set(entry, { to: place === undefined ? undefined : `${list}/${place}`, copies: alike.map((index) => `${list}/${index}`) });
    }
  }
  return moved;
}

/** `/spec/rules/2` of `/spec/rules/2/backendRefs/0/weight`; undefined for a field in no list, or in an entry itself. */
export function entryOf(object: KubeObject, field: string): string | undefined {
  const [, entry, list] = /^((.*?)\/\d+)\//.exec(field) ?? [];
  return entry !== undefined && list !== undefined && Array.isArray(valueAt(object, list)) ? entry : undefined;
}

function indexOf(entry: string): number {
  return Number(entry.slice(entry.lastIndexOf('/') + 1));
}

interface Candidate {
  readonly entry: string;
  readonly own: readonly string[];
  readonly index: number;
  readonly list: string;
}

/** 0: it cannot be this one. */
function scoreOf(object: KubeObject, { fields, fixed, written }: Sought, { entry, own, index, list }: Candidate): number {
  const to = `${list}/${index}`;
  const names = own.filter((field) => fixed.includes(field) && typeof fields[field] === 'string');
  const groups = Map.groupBy(names, parentOf);
  const fits = [...groups].every(([parent, of]) => placeIn(object, to + parent.slice(entry.length), parent, of, fields) !== undefined);
  if (!fits) return 0;
  const at = (field: string): Json => valueAt(object, to + field.slice(entry.length));
  const holds = written.some(
    (after) =>
      own.some((field) => field in after && !same(after[field] ?? null, fields[field] ?? null)) &&
      own.every((field) => !(field in after) || same(after[field] ?? null, at(field))),
  );
  return FITS + (holds ? HOLDS_OURS : 0) + (indexOf(entry) === index ? SAME_PLACE : 0);
}

/** Where the entry that the named fields of `parent` describe is now: at `place`, at another index of the same list, or nowhere for certain. */
export function placeIn(object: KubeObject, place: string, parent: string, names: readonly string[], fields: Fields): string | undefined {
  const isIt = (at: string): boolean =>
    names.every((field) => same(valueAt(object, `${at}${field.slice(parent.length)}`), fields[field] ?? null));
  if (isIt(place)) return place;
  const list = parentOf(place);
  const siblings = valueAt(object, list);
  if (!Array.isArray(siblings)) return undefined;
  const places = siblings.map((_, index) => `${list}/${index}`).filter(isIt);
  return places.length === 1 ? places[0] : undefined;
}

/** One column for each row, none twice, in rising order, with the largest sum; what is left over may go where nothing else fits. */
function assign(scores: readonly (readonly number[])[]): readonly (number | undefined)[] {
  const width = scores[0]?.length ?? 0;
  // best[row][from]: the largest sum of the rows from `row` on, with columns from `from` on.
  const best = Array.from({ length: scores.length + 1 }, () => Array.from({ length: width + 2 }, () => 0));
  const at = (row: number, from: number): number => best[row]?.[from] ?? 0;
  for (let row = scores.length - 1; row >= 0; row--) {
    for (let from = width; from >= 0; from--) {
      const score = scores[row]?.[from] ?? 0;
      const taken = score > 0 ? score + at(row + 1, from + 1) : 0;
      (best[row] as number[])[from] = Math.max(at(row + 1, from), from < width ? at(row, from + 1) : 0, taken);
    }
  }
  const places: (number | undefined)[] = scores.map(() => undefined);
  for (let [row, from] = [0, 0]; row < scores.length && from < width; ) {
    const score = scores[row]?.[from] ?? 0;
    if (score > 0 && score + at(row + 1, from + 1) === at(row, from)) places[row++] = from++;
    else if (at(row + 1, from) === at(row, from)) row++;
    else from++;
  }
  const free = (column: number): boolean => !places.includes(column);
  for (const [row, of] of scores.entries()) {
    if (places[row] !== undefined) continue;
    const fitting = [...of.keys()].filter((column) => (of[column] ?? 0) > 0 && free(column));
    if (fitting.length === 1) places[row] = fitting[0];
  }
  return places;
}
