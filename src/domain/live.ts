import * as z from 'zod';
import { canonicalJson, type Json } from './json.ts';
import { type Fields, type ObjectRef, objectKey } from './plan.ts';

/** An object as the API server gave it, as far as a way back looks at it. */
export const Live = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), uid: z.string(), generation: z.number() }),
});

export function differencesOf(object: string, expected: Fields, live: unknown): readonly string[] {
  return Object.entries(expected).flatMap(([pointer, value]) => {
    const found = valueAt(live, pointer);
    return canonicalJson(found) === canonicalJson(value)
      ? []
      : [`${object} ${pointer} is ${canonicalJson(found)}, was left at ${canonicalJson(value)}`];
  });
}

/** The value at a JSON pointer (RFC 6901), null where there is none. */
function valueAt(root: unknown, pointer: string): Json {
  let value: unknown = root;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return (value ?? null) as Json;
}

export function sameObject(live: unknown, ref: ObjectRef): boolean {
  const parsed = Live.safeParse(live);
  return parsed.success && objectKey({ ...parsed.data, ...parsed.data.metadata }) === objectKey(ref);
}

export function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}
