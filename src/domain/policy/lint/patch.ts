import type { PatchOperation, Path } from './finding.ts';

/** The value with the patch applied, as a copy; undefined where the patch does not fit. */
export function patchedValue(value: unknown, patch: readonly PatchOperation[]): unknown {
  const copy = structuredClone(value);
  return patch.every((one) => applied(copy, one)) ? copy : undefined;
}

/** The steps of a JSON pointer. */
function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

type Holder = Record<string, unknown> | unknown[];

function applied(root: unknown, one: PatchOperation): boolean {
  if (one.op === 'move') {
    const [holder, key] = placeOf(root, one.from);
    if (!holder || !(key in holder)) return false;
    const moved = (holder as Record<string, unknown>)[key];
    return taken(holder, key) && put(root, one.path, moved);
  }
  if (one.op === 'add' || one.op === 'replace') return put(root, one.path, one.value);
  const [holder, key] = placeOf(root, one.path);
  return holder !== undefined && key in holder && taken(holder, key);
}

function placeOf(root: unknown, pointer: string): readonly [Holder | undefined, string] {
  const steps = stepsOf(pointer);
  const last = steps.at(-1) ?? '';
  const holder = steps
    .slice(0, -1)
    .reduce<unknown>((value, step) => (isHolder(value) ? (value as Record<string, unknown>)[step] : undefined), root);
  return [isHolder(holder) ? holder : undefined, last];
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}

function put(root: unknown, pointer: string, value: unknown): boolean {
  const [holder, key] = placeOf(root, pointer);
  if (!holder) return false;
  if (Array.isArray(holder) && key === '-') holder.push(value);
  else (holder as Record<string, unknown>)[key] = value;
  return true;
}

function taken(holder: Holder, key: string): boolean {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return true;
}

/** What stands at a path. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (isHolder(inner) ? (inner as Record<string, unknown>)[String(step)] : undefined), value);
}
