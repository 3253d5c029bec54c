import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../domain/json.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';

/**
 * Tells one state of an operation from another, the same in every process: what is shown, without the live numbers and the place
 * of the message. It travels in the message's metadata, so that a watch sees when somebody has shown a newer state.
 */
export function versionOf(view: OperationView): string {
  const { live: _live, message: _message, ...state } = view;
  return createHash('sha256')
    .update(canonicalJson(state as unknown as Json))
    .digest('hex')
    .slice(0, 16);
}
