import { parseToken } from '../../src/domain/lifecycle/plan.ts';
import type { AuditLog } from '../../src/ports.ts';

/**
 * Does a token that is not ours belong to an operation that is not over? Anybody can write an annotation: a token counts only if the record
 * or Temporal knows its operation. Throws when neither can say.
 */
export async function isHeld({ audit }: { readonly audit: Pick<AuditLog, 'holds'> }, token: string): Promise<boolean> {
  const holder = parseToken(token);
  return holder !== undefined && audit.holds(holder.opId);
}
