import { canonicalJson, type JsonObject } from '../domain/json.ts';
import type { AuditLog } from '../ports.ts';
import type { Database } from './database.ts';

/** Names the records of the rules; no operation has such an id. */
const RULES_ID = 'configuration';
const EVERYWHERE = { cluster: '', namespace: '', name: '' };

/**
 * Keeps in the audit record who must agree to what, whenever that is not what was recorded last. Several processes that see the same change write
 * one record. Returns whether there was a change.
 */
export async function recordRules(
  { db, audit, now }: { readonly db: Database; readonly audit: Pick<AuditLog, 'append'>; readonly now: () => number },
  rules: JsonObject,
): Promise<boolean> {
  const last = await db
    .selectFrom('audit')
    .select(['seq', 'body'])
    .where('op_id', '=', RULES_ID)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const before = last && (JSON.parse(last.body) as { readonly data: { readonly rules: JsonObject } }).data.rules;
  if (before && canonicalJson(before) === canonicalJson(rules)) return false;
  const key = `${RULES_ID}/after/${last?.seq ?? 0}`;
  const data = { rules, ...(before && { before }) };
  await audit.append([{ key, at: now(), kind: 'rules', opId: RULES_ID, target: EVERYWHERE, data }]);
  return true;
}
