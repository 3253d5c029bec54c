import { createHash } from 'node:crypto';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import { canonicalJson, type Json } from '../../src/domain/json.ts';
import { managedState } from '../../src/domain/lifecycle/managed-state.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';

/** sha256 hex over what people and controllers wrote into an object: two are equal exactly when the object "is as it was". */
export function digestOf(object: KubeObject): string {
  return sha256(managedState(object));
}

/** sha256 hex over the canonical JSON of every write: what people approve. */
export function planHashOf(stages: Plan['stages']): string {
  const writes = stages.flatMap(({ number, writes }) =>
    writes.map(({ object, uid, generation, before, after, kind, manifest }) => ({
      stage: number,
      object: { ...object },
      uid,
      generation,
      before,
      after,
      kind,
      manifest,
    })),
  );
  return sha256(canonicalJson(writes));
}

/** sha256 hex over the canonical JSON of what people approve. */
export function hashOf(value: Json): string {
  return sha256(canonicalJson(value));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
