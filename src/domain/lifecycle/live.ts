import * as z from 'zod';
import { canonicalJson } from '../json.ts';
import { type Fields, type ObjectRef, objectKey } from './plan.ts';
import { valueAt } from './pointer.ts';

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

export function sameObject(live: unknown, ref: ObjectRef): boolean {
  const parsed = Live.safeParse(live);
  return parsed.success && objectKey({ ...parsed.data, ...parsed.data.metadata }) === objectKey(ref);
}

export function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}
