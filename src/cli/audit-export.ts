import { exportRows } from '../audit/export.ts';
import type { AuditRow } from '../audit/schema.ts';
import { canonicalJson, type Json, type JsonObject } from '../domain/json.ts';
import { csvOf } from '../domain/words/csv.ts';
import { parseDuration } from '../domain/words/duration.ts';
import { type CliOptions, withDatabase } from './database.ts';

export const EXPORT_FORMATS = ['jsonl', 'csv'] as const;

interface ExportOptions extends CliOptions {
  /** A duration back from now (`7d`) or an instant (ISO 8601). Left out: everything. */
  readonly since?: string;
  readonly format: (typeof EXPORT_FORMATS)[number];
  readonly now: () => number;
  /** Writes exactly this text. */
  readonly write: (text: string) => void;
}

const HEAD = ['seq', 'at', 'kind', 'operation', 'target', 'actor', 'what', 'key', 'hash'];

/** Writes the audit record out, oldest first. A line of JSON has the record as its hash was taken of it, with that hash and the one before. */
export async function auditExport(options: ExportOptions): Promise<number> {
  const { since, format, now, write, print, signal } = options;
  const from = since === undefined ? 0 : instantOf(since, now());
  if (from === undefined) {
    print(`--since takes a duration such as 7d, or a time such as 2026-01-31T12:00:00Z; ${since} is neither. Nothing was written.`);
    return 1;
  }
  return withDatabase(options, async (db) => {
    if (format === 'csv') write(csvOf([HEAD]));
    for await (const row of exportRows(db, from, signal)) write(format === 'csv' ? csvOf([cellsOf(row)]) : `${lineOf(row)}\n`);
    return 0;
  });
}

function instantOf(text: string, now: number): number | undefined {
  const back = parseDuration(text);
  if (back !== undefined) return now - back;
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function lineOf({ seq, prev, hash, body }: AuditRow): string {
  return canonicalJson({ seq, prev, hash, record: JSON.parse(body) as JsonObject });
}

function cellsOf({ seq, at, kind, op_id, target, actor, body, key, hash }: AuditRow): readonly string[] {
  const { data } = JSON.parse(body) as { readonly data: JsonObject };
  return [String(seq), new Date(at).toISOString(), kind, op_id, target, actor ?? '', whatOf(data), key, hash];
}

/** What a person looks for first in each kind of record. */
const TELLING = ['text', 'choice', 'words', 'code', 'reason', 'kind'] as const;

function whatOf(data: JsonObject): string {
  const outcome = data['outcome'];
  const inner = typeof outcome === 'object' && outcome !== null && !Array.isArray(outcome) ? (outcome as JsonObject) : {};
  const words = TELLING.map((name): Json | undefined => data[name] ?? inner[name]).find((value) => typeof value === 'string');
  return typeof words === 'string' ? words : '';
}
