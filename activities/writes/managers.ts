import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { stepsOf } from '../../src/domain/lifecycle/pointer.ts';

/**
 * Who last wrote the field at `pointer`, from metadata.managedFields; undefined when it cannot be told. A list that is
 * atomic has one owner for all of it, so the deepest step that is recorded speaks for what is below it.
 */
export function managerOf(object: KubeObject, pointer: string): string | undefined {
  const steps = stepsOf(pointer);
  const owners = (object.metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined)
    .map((entry) => ({ manager: entry.manager, time: entry.time ?? '', depth: depthOf(entry.fieldsV1, steps) }))
    .filter((entry) => entry.depth > 1)
    .toSorted((a, b) => b.depth - a.depth || b.time.localeCompare(a.time));
  return owners[0]?.manager;
}

function depthOf(fields: JsonObject | undefined, steps: readonly string[]): number {
  let at: unknown = fields;
  for (const [depth, step] of steps.entries()) {
    const next = typeof at === 'object' && at !== null ? (at as JsonObject)[`f:${step}`] : undefined;
    if (next === undefined) return depth;
    at = next;
  }
  return steps.length;
}
