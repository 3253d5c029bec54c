import type { PatchOp } from '../../../src/clients/kubernetes/objects.ts';
import { canonicalJson, type Json } from '../../../src/domain/json.ts';
import { parentOf, stepsOf, valueAt } from '../../../src/domain/lifecycle/pointer.ts';

/** RFC 6902 as the apiserver applies it, as far as our patches use it; undefined when a test fails or a place is not there. */
export function patched(root: unknown, ops: readonly PatchOp[]): unknown {
  const result: unknown = structuredClone(root);
  for (const op of ops) {
    if (op.op === 'test') {
      if (canonicalJson(valueAt(result, op.path)) !== canonicalJson(op.value)) return undefined;
      continue;
    }
    const holder = placeOf(result, parentOf(op.path));
    const key = stepsOf(op.path).at(-1) ?? '';
    if (Array.isArray(holder)) {
      if (op.op === 'remove') holder.splice(Number(key), 1);
      else if (op.op === 'add') holder.splice(key === '-' ? holder.length : Number(key), 0, op.value);
      else holder[Number(key)] = op.value;
    } else if (typeof holder !== 'object' || holder === null) return undefined;
    else if (op.op === 'remove') Reflect.deleteProperty(holder, key);
    else Object.assign(holder, { [key]: structuredClone(op.value) });
  }
  return result;
}

/** The thing itself at a pointer, not a copy. */
function placeOf(root: unknown, pointer: string): unknown {
  return stepsOf(pointer).reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return (value as Record<string, Json>)[step];
  }, root);
}
