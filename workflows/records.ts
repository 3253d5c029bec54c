import type { RestoreResult } from '../activities/contract.ts';
import type { JsonObject } from '../src/domain/json.ts';
import type { ObjectRef } from '../src/domain/plan.ts';

/** A restore as the audit keeps it. */
export function restoreRecord(result: RestoreResult): JsonObject {
  return result.kind === 'superseded'
    ? { kind: result.kind, object: nameOf(result.object), token: result.token, at: result.at }
    : {
        kind: result.kind,
        exact: result.exact,
        at: result.at,
        objects: result.objects.map(({ object, state }) => ({ object: nameOf(object), state })),
      };
}

export const nameOf = (object: ObjectRef): string => `${object.kind} ${object.namespace}/${object.name}`;
