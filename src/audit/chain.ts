import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/json.ts';
import type { AuditRecord } from '../domain/lifecycle/operation.ts';
import { formatTarget } from '../domain/target.ts';
import type { Database } from './database.ts';
import { type AuditRow, GENESIS } from './schema.ts';

/** What `meshops audit verify` found. */
export type Verification =
  | { readonly kind: 'intact'; readonly records: number; readonly head: string }
  /** `seq` is the first record that is not what was written. */
  | { readonly kind: 'broken'; readonly seq: number; readonly key: string; readonly words: string };

/** The text whose hash a record carries. */
export function bodyOf(record: AuditRecord): string {
  return canonicalJson({
    key: record.key,
    at: record.at,
    kind: record.kind,
    opId: record.opId,
    target: { ...record.target },
    actor: record.actor,
    data: record.data,
  });
}

/** sha256 hex over the previous hash, the number and the body: none of them can change without the hash. */
export function hashOf(prev: string, seq: number, body: string): string {
  return createHash('sha256').update(`${prev}\n${seq}\n${body}`).digest('hex');
}

export function rowOf(record: AuditRecord, seq: number, prev: string): AuditRow {
  const body = bodyOf(record);
  return {
    seq,
    key: record.key,
    at: record.at,
    kind: record.kind,
    op_id: record.opId,
    target: formatTarget(record.target),
    actor: record.actor ?? null,
    body,
    prev,
    hash: hashOf(prev, seq, body),
  };
}

const PAGE = 500;

/**
 * Walks the whole chain in pages. `expected`: a hash that was copied elsewhere; a chain that has no such record was cut off or built anew. A head that disagrees with the last record means that records at the end are missing.
 */
export async function verifyChain(db: Database, signal?: AbortSignal, expected?: string): Promise<Verification> {
  let prev = GENESIS;
  let seq = 0;
  let isFound = expected === undefined;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await db.selectFrom('audit').selectAll().where('seq', '>', seq).orderBy('seq').limit(PAGE).execute();
    for (const row of rows) {
      const words = flawOf(row, seq + 1, prev);
      if (words) return { kind: 'broken', seq: row.seq, key: row.key, words };
      seq = row.seq;
      prev = row.hash;
      isFound ||= row.hash === expected;
    }
    if (rows.length < PAGE) break;
  }
  const head = await db.selectFrom('audit_head').selectAll().where('id', '=', 1).executeTakeFirst();
  // A record may have been added between the last page and the head; only a head that lies behind, or has another hash, is wrong.
  if (!head || head.seq < seq || (head.seq === seq && head.hash !== prev)) {
    return { kind: 'broken', seq, key: '', words: 'The head of the chain does not belong to the last record.' };
  }
  if (head.seq > seq) {
    const next = await db
      .selectFrom('audit')
      .select('seq')
      .where('seq', '=', seq + 1)
      .executeTakeFirst();
    if (!next) return { kind: 'broken', seq: seq + 1, key: '', words: `Records ${seq + 1} to ${head.seq} are missing at the end.` };
  }
  if (!isFound)
    return {
      kind: 'broken',
      seq,
      key: '',
      words: `No record has the hash ${expected}: the end was cut off, or all of it was written anew.`,
    };
  return { kind: 'intact', records: seq, head: prev };
}

function flawOf(row: AuditRow, expectedSeq: number, prev: string): string | undefined {
  if (row.seq !== expectedSeq) return `Record ${expectedSeq} is missing.`;
  if (row.prev !== prev) return `Record ${row.seq} does not follow record ${row.seq - 1}.`;
  if (row.hash !== hashOf(prev, row.seq, row.body)) return `Record ${row.seq} was changed after it was written.`;
  const body = JSON.parse(row.body) as AuditRecord;
  const again = rowOf(body, row.seq, prev);
  const columns = ['key', 'at', 'kind', 'op_id', 'target', 'actor'] as const;
  const changed = columns.find((column) => again[column] !== row[column]);
  return changed ? `Column ${changed} of record ${row.seq} was changed after it was written.` : undefined;
}
