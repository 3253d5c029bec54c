import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import { canonicalJson, type Json } from '../../src/domain/json.ts';
import type { Difference } from '../../src/domain/lifecycle/contract-undo.ts';
import { type Fields, type ObjectRef, objectKey } from '../../src/domain/lifecycle/plan.ts';
import { valueAt } from '../../src/domain/lifecycle/pointer.ts';
import { managerOf } from './managers.ts';

/** Are two JSON values the same in meshops' sense? */
export function same(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** Where the live object is not as expected, and who wrote that. */
export function differences(object: KubeObject, ref: ObjectRef, expected: Fields): readonly Difference[] {
  return Object.entries(expected).flatMap(([field, value]) => {
    const found = valueAt(object, field);
    return same(found, value) ? [] : [difference(ref, field, value, found, managerOf(object, field))];
  });
}

export function difference(ref: ObjectRef, field: string, expected: Json, found: Json, manager?: string): Difference {
  return { object: objectKey(ref), field, expected: show(expected), found: show(found), ...(manager !== undefined && { manager }) };
}

/** An object that is not there any more, or whose name now belongs to another one. */
export function gone(ref: ObjectRef, uid: string, object: KubeObject | undefined): Difference {
  return difference(ref, '/metadata/uid', uid, object?.metadata.uid ?? null);
}

function show(value: Json): string {
  return value === null ? 'absent' : typeof value === 'string' ? value : canonicalJson(value);
}
