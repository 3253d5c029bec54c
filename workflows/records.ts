import { patched, uuid4 } from '@temporalio/workflow';
import type { JsonObject } from '../src/domain/json.ts';
import type { RestoreResult } from '../src/domain/lifecycle/contract.ts';
import type { AuditRecord, OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { ObjectRef } from '../src/domain/lifecycle/plan.ts';

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

/** An id for a request that brings none; too long for chance to give it twice. */
export function ownId(verb: string): string {
  return `${verb}-${uuid4()
    .replaceAll('-', '')
    .slice(0, patched('long-ids') ? 12 : 6)}`;
}

/** An accepted `begin` as the audit keeps it: with who asked and where, since what is known of a run that is lost is known from here. */
export function beginRecord(
  request: OperationRequest,
  runId: string,
  continued: boolean,
): Pick<AuditRecord, 'kind' | 'data'> & { readonly actor: string | undefined } {
  const { text, requestId, verb, change, requester, channel, recovery, emergency } = request;
  if (recovery) {
    const { how, by, reason, keep } = recovery;
    return { kind: 'decision', data: { choice: keep ? 'keep' : 'recover', lost: how, runId, ...(reason && { reason }) }, actor: by?.id };
  }
  const data = {
    text,
    requestId,
    continued,
    change: change as never,
    runId,
    verb,
    requester: requester as never,
    channel,
    ...(emergency && { emergency }),
  };
  return { kind: 'request', data, actor: requester.id };
}
