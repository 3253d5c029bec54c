import { type Document, isMap, isNode, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import { canonicalJson, isObject, type Json } from '../domain/json.ts';
import type { Fields } from '../domain/lifecycle/plan.ts';
import { replaced, type Splice, withItem, withKey, withoutItem, withoutKey } from './splice.ts';

/** What Git has is shaped otherwise than what was changed in the cluster. */
export class OtherShape extends Error {
  override name = 'OtherShape' as const;
}

/**
 * What must be edited in a document so that it says what an operation left. Only what the operation changed is looked at: `before` and
 * `after` are live values, which hold defaults that Git leaves out. Nothing: Git agrees. Throws OtherShape, NotInPlace.
 */
export function editsOf(text: string, document: Document, before: Fields, after: Fields): readonly Splice[] {
  const splices: Splice[] = [];
  for (const [pointer, value] of Object.entries(after)) {
    const steps = pointer
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const was = before[pointer] ?? null;
    if (canonicalJson(was) === canonicalJson(value)) checkFixed(document, steps, value);
    else fieldEdits(text, document, steps, { was, value, splices });
  }
  return splices;
}

/** A name beside a weight says which entry is meant. */
function checkFixed(document: Document, steps: readonly string[], value: Json): void {
  const found: unknown = document.getIn(steps.map(indexOf));
  if (typeof value === 'string' && typeof found === 'string' && found !== value)
    throw new OtherShape(`${steps.join('.')} is ${found} in Git, ${value} in the cluster`);
}

interface Change {
  readonly was: Json;
  readonly value: Json;
  readonly splices: Splice[];
}

function fieldEdits(text: string, document: Document, steps: readonly string[], { was, value, splices }: Change): void {
  const key = steps.at(-1) ?? '';
  const parent: unknown = document.getIn(steps.slice(0, -1).map(indexOf), true);
  if (isSeq(parent)) throw new OtherShape(`${steps.join('.')} is an item of a list`);
  if (!isMap(parent)) throw new OtherShape(`${steps.slice(0, -1).join('.')} is not there in Git`);
  keyEdits(text, parent, key, { was, value, splices });
}

function keyEdits(text: string, parent: YAMLMap, key: string, { was, value, splices }: Change): void {
  const node: unknown = parent.get(key, true);
  const isThere = parent.has(key);
  if (value === null) {
    if (isThere) splices.push(withoutKey(text, parent, key));
    return;
  }
  if (!isThere) {
    // An absent weight is 1 (Gateway API, BackendRef).
    if (!(key === 'weight' && value === 1)) splices.push(withKey(text, parent, key, value));
    return;
  }
  if (isNode(node)) nodeEdits(text, node, { was, value, splices });
  else throw new OtherShape(`${key} has no value in Git`);
}

function nodeEdits(text: string, node: Node, { was, value, splices }: Change): void {
  if (covers(node.toJSON() as Json, value, was)) return;
  if (isMap(node) && isObject(value) && isObject(was)) {
    for (const key of new Set([...Object.keys(was), ...Object.keys(value)])) {
      const [old, now] = [was[key] ?? null, value[key] ?? null];
      if (canonicalJson(old) !== canonicalJson(now)) keyEdits(text, node, key, { was: old, value: now, splices });
    }
    return;
  }
  if (isSeq(node) && Array.isArray(value) && Array.isArray(was)) return listEdits(text, node, { was, value, splices });
  if (isScalar(node) && isObject(value)) throw new OtherShape('a value of Git is an object in the cluster');
  splices.push(replaced(text, node, value));
}

type Listed = Omit<Change, 'was' | 'value'> & { readonly was: readonly Json[]; readonly value: readonly Json[] };

function listEdits(text: string, node: Extract<Node, { items: unknown }> & { items: unknown[] }, { was, value, splices }: Listed): void {
  if (!isSeq(node)) return;
  if (node.items.length !== was.length) throw new OtherShape(`a list has ${node.items.length} entries in Git and had ${was.length}`);
  if (was.length === value.length) {
    for (const [index, item] of node.items.entries()) {
      const [old, now] = [was[index] as Json, value[index] as Json];
      if (!isNode(item)) throw new OtherShape('an empty entry');
      if (canonicalJson(old) !== canonicalJson(now)) nodeEdits(text, item, { was: old, value: now, splices });
    }
    return;
  }
  const kept = keptOf(was, value);
  for (const [index] of was.entries()) if (!kept.has(index)) splices.push(withoutItem(text, node, index));
  const places = new Map([...kept].map(([from, to]) => [to, from]));
  let next = was.length;
  for (const index of [...value.keys()].toReversed()) {
    const place = places.get(index);
    if (place === undefined) splices.push(withItem(text, node, next, value[index] as Json));
    else next = place;
  }
}

/** Entries that stay, from old index to new: the longest common part, in order. */
function keptOf(was: readonly Json[], value: readonly Json[]): ReadonlyMap<number, number> {
  const [old, now] = [was.map((one) => canonicalJson(one)), value.map((one) => canonicalJson(one))];
  const zeros = (): number[] => Array.from({ length: now.length + 1 }, () => 0);
  const length = old.map(zeros);
  const row = (index: number): readonly number[] => length[index] ?? zeros();
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      (length[i] as number[])[j] = old[i] === now[j] ? 1 + (row(i + 1)[j + 1] ?? 0) : Math.max(row(i + 1)[j] ?? 0, row(i)[j + 1] ?? 0);
  const kept = new Map<number, number>();
  for (let i = 0, j = 0; i < old.length && j < now.length; ) {
    if (old[i] === now[j]) kept.set(i++, j++);
    else if ((row(i + 1)[j] ?? 0) >= (row(i)[j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return kept;
}

/** Does what Git has say the same as the live value? What Git leaves out is a default, unless the operation has changed it. */
function covers(git: Json | undefined, live: Json, was: Json): boolean {
  if (isObject(live)) {
    if (!isObject(git)) return false;
    const old = isObject(was) ? was : undefined;
    const isKnown = Object.keys(git).every((key) => key in live);
    return (
      isKnown &&
      Object.entries(live).every(([key, value = null]) => {
        if (key in git) return covers(git[key] ?? null, value, old?.[key] ?? null);
        return old === undefined || canonicalJson(old[key] ?? null) === canonicalJson(value) || (key === 'weight' && value === 1);
      })
    );
  }
  if (!Array.isArray(live)) return canonicalJson(git ?? null) === canonicalJson(live);
  const old = Array.isArray(was) && was.length === live.length ? was : [];
  return (
    Array.isArray(git) && git.length === live.length && live.every((one, index) => covers(git[index] ?? null, one, old[index] ?? null))
  );
}

function indexOf(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}
