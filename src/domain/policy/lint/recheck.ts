import type { FoundObject } from '../objects.ts';
import type { Fix, PatchOperation } from './finding.ts';
import { patchedValue } from './patch.ts';
import { pointer } from './path.ts';
import type { Said } from './said.ts';

/** To check a fix again costs about what the first check did; beyond so much of it none is offered. JSON, in UTF-16 units. */
const MOST_RECHECKED = 256 * 1024;

/**
 * A fix is offered once it has been tried: what it was for is gone, no error is new, and the policy is of the same kind and selects the same sort of things.
 * Undefined for one that is not, or that nobody has tried.
 */
export function createRecheck(
  objects: readonly FoundObject[],
  said: readonly Said[],
  lint: (object: FoundObject) => readonly Said[],
): (one: Said) => Fix | undefined {
  let left = MOST_RECHECKED;
  const known = new Map<FoundObject, Known>();
  const knownOf = (object: FoundObject): Known => {
    const own = known.get(object) ?? {
      size: JSON.stringify(object.value).length,
      ...counts(said.filter((one) => isIn(object, pointer(one.path)))),
    };
    known.set(object, own);
    return own;
  };
  return ({ rule, path, fix }) => {
    const object = fix && objects.find((one) => isIn(one, pointer(path)));
    if (!object || left <= 0) return undefined;
    const before = knownOf(object);
    left -= before.size;
    const at = pointer(object.path).length;
    const value = patchedValue(
      object.value,
      fix.patch.map((one) => within(one, at)),
    );
    if (value === undefined || (rule !== 'unknown-kind' && kindOf(value) !== kindOf(object.value))) return undefined;
    const after = counts(lint({ path: object.path, value: value as FoundObject['value'] }));
    const isNew = [...after.errors].some(([id, count]) => count > (before.errors.get(id) ?? 0));
    return isNew || (after.all.get(rule) ?? 0) >= (before.all.get(rule) ?? 0) ? undefined : fix;
  };
}

interface Known extends Counts {
  readonly size: number;
}

interface Counts {
  readonly errors: ReadonlyMap<string, number>;
  readonly all: ReadonlyMap<string, number>;
}

function counts(said: readonly Said[]): Counts {
  const [errors, all] = [new Map<string, number>(), new Map<string, number>()];
  for (const { rule, severity } of said) {
    all.set(rule, (all.get(rule) ?? 0) + 1);
    if (severity === 'error') errors.set(rule, (errors.get(rule) ?? 0) + 1);
  }
  return { errors, all };
}

function isIn({ path }: FoundObject, place: string): boolean {
  const around = pointer(path);
  return around === '' || place === around || place.startsWith(`${around}/`);
}

/** The same in the object alone. */
function within(one: PatchOperation, at: number): PatchOperation {
  return one.op === 'move' ? { ...one, from: one.from.slice(at), path: one.path.slice(at) } : { ...one, path: one.path.slice(at) };
}

/** A policy for pods stays one: no fix writes a nodeSelector, or another kind. A version that was wrong may be corrected. */
function kindOf(value: unknown): string {
  const { kind, spec, specs } = value as Readonly<Record<string, unknown>>;
  return `${String(kind)} ${JSON.stringify([spec, specs]).includes('"nodeSelector"')}`;
}
