import { canonicalJson, type Json, type JsonObject } from '../../json.ts';
import { objectKey, type PlannedStage } from '../../lifecycle/plan.ts';

/** What the operation's own policies hold at one moment of the rollout. */
interface Moment {
  /** The stage that brings it about. */
  readonly stage: string;
  readonly documents: readonly JsonObject[];
}

/**
 * Every set of policies that the stages' writes leave in force, in their order; a stage that writes several objects has several.
 * Pods' labels are no part of it: each moment must hold for pods with and without them.
 */
export function momentsOf(stages: readonly PlannedStage[], existing: JsonObject | undefined): readonly Moment[] {
  const now = new Map<string, JsonObject>();
  const moments = new Map<string, Moment>();
  let isThere = existing !== undefined;
  for (const { label, writes } of stages) {
    for (const { object, kind, manifest, after } of writes) {
      if (object.kind !== 'CiliumNetworkPolicy') continue;
      const key = objectKey(object);
      if (kind === 'delete') {
        now.delete(key);
        if (isThere && object.name === nameOf(existing ?? {})) isThere = false;
      } else now.set(key, written(now.get(key) ?? manifest ?? existing ?? {}, after));
      const documents = [...now.values(), ...(existing && isThere && !isReplaced(now, existing) ? [existing] : [])];
      const text = canonicalJson(documents);
      if (!moments.has(text)) moments.set(text, { stage: label, documents });
    }
  }
  return [...moments.values()];
}

function isReplaced(now: ReadonlyMap<string, JsonObject>, existing: JsonObject): boolean {
  const name = nameOf(existing);
  return [...now.values()].some((document) => nameOf(document) === name);
}

function nameOf({ metadata }: JsonObject): Json | undefined {
  return (metadata as JsonObject | undefined)?.['name'];
}

function written(document: JsonObject, after: Readonly<Record<string, Json>>): JsonObject {
  const { spec, specs, ...rest } = document;
  const fields = { '/spec': spec ?? null, '/specs': specs ?? null, ...after };
  return {
    ...rest,
    ...(fields['/spec'] !== null && { spec: fields['/spec'] }),
    ...(fields['/specs'] !== null && { specs: fields['/specs'] }),
  };
}
