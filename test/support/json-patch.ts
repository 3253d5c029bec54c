import type { PatchOp } from '../../src/clients/kubernetes/objects.ts';
import { canonicalJson, type Json } from '../../src/domain/json.ts';
import { parentOf, stepsOf, valueAt } from '../../src/domain/lifecycle/pointer.ts';

/** RFC 6902 as the apiserver applies it, as far as our patches use it; undefined when a test fails. */
export function applyPatch(root: unknown, ops: readonly PatchOp[]): unknown {
  const result: unknown = structuredClone(root);
  for (const op of ops) {
    const holder = op.path === '' ? undefined : (valueOf(result, parentOf(op.path)) as Record<string, unknown> | unknown[] | null);
    const key = stepsOf(op.path).at(-1) ?? '';
    if (op.op === 'test') {
      if (canonicalJson(valueAt(result, op.path)) !== canonicalJson(op.value as Json)) return undefined;
    } else if (Array.isArray(holder)) {
      if (op.op === 'remove') holder.splice(Number(key), 1);
      else if (op.op === 'add') holder.splice(Number(key), 0, op.value);
      else holder[Number(key)] = op.value;
    } else if (holder === null || typeof holder !== 'object') return undefined;
    else if (op.op === 'remove') delete holder[key];
    else holder[key] = structuredClone(op.value);
  }
  return result;
}

/** The live value itself, not a copy. */
function valueOf(root: unknown, pointer: string): unknown {
  return stepsOf(pointer).reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : null),
    root,
  );
}
