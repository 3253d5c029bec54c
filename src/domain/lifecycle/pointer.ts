import type { Json } from '../json.ts';

/** Splits a JSON pointer (RFC 6901) into its unescaped steps. */
export function stepsOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Joins steps to a JSON pointer. */
export function pointerOf(steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The value at a pointer; null when it, or anything on the way, is absent. */
export function valueAt(root: unknown, pointer: string): Json {
  let value: unknown = root;
  for (const step of stepsOf(pointer)) {
    if (typeof value !== 'object' || value === null) return null;
    value = Array.isArray(value) ? value[Number(step)] : Object.entries(value).find(([key]) => key === step)?.[1];
  }
  return value === undefined ? null : (value as Json);
}

/** The pointer of the thing that holds what `pointer` names. */
export function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}
