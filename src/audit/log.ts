import type { Transaction } from 'kysely';
import type { Json } from '../domain/json.ts';
import type { LostOperation } from '../domain/lifecycle/lost.ts';
import type { AuditRecord } from '../domain/lifecycle/operation.ts';
import { formatTarget, type Target, workflowIdOf } from '../domain/target.ts';
import type { AuditLog } from '../ports.ts';
import { rowOf, type Verification, verifyChain } from './chain.ts';
import { earlierMessages, lastCompleted } from './completed.ts';
import type { Database } from './database.ts';
import { historyOf, type Past, type PastFilter } from './history.ts';
import { lostOf } from './lost.ts';
import type { OperationRow, Tables } from './schema.ts';

/** One operation as the database knows it. */
export interface KnownOperation {
  readonly opId: string;
  readonly workflowId: string;
  readonly runId?: string;
  readonly target: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** OutcomeKind, when it is over. */
  readonly outcome?: string;
  /** The sentence of its outcome. */
  readonly words?: string;
}

/** The audit record with what it knows of operations. */
export interface Audit extends AuditLog {
  verify(signal?: AbortSignal): Promise<Verification>;
  /** Has this operation written its outcome? */
  isOver(opId: string): Promise<boolean>;
  /** Remembers where an operation runs, so that its id alone finds it. */
  started(operation: { opId: string; workflowId: string; runId: string; target: Target; at: number }): Promise<void>;
  operation(opId: string): Promise<KnownOperation | undefined>;
  /** Operations without an outcome, on one target or all, oldest first; at most 500. */
  open(target?: Target): Promise<readonly KnownOperation[]>;
  /** What the record knows of an operation for its rollback. */
  lost(opId: string): Promise<LostOperation | undefined>;
  /** The operation on this target that ended last. */
  lastEnded(target: Target): Promise<KnownOperation | undefined>;
  /** The last operations on a target, or on all, newest first; ten of them where no limit is given. */
  history(target: Target | undefined, filter?: PastFilter, limit?: number): Promise<readonly Past[]>;
}

const MOST_OPEN = 500;

/** Appends are serialised by a lock on the head's row, on both kinds of database and between processes. */
export function createAudit(db: Database): Audit {
  return {
    append: async (records) => {
      if (records.length === 0) return;
      await db.transaction().execute(async (trx) => appendAll(trx, records));
    },
    verify: (signal) => verifyChain(db, signal),
    holds: async (opId) => (await find(db, opId))?.ended_at === null,
    isOver: async (opId) => (await find(db, opId))?.ended_at != null,
    lastCompleted: (target, verb) => lastCompleted(db, target, verb),
    earlierMessages: (target, verb, opId) => earlierMessages(db, target, verb, opId),
    started: (operation) => remember(db, operation),
    history: (target, filter, limit) => historyOf(db, target, filter, limit),
    operation: async (opId) => known(await find(db, opId)),
    lost: (opId) => lostOf(db, opId),
    planned: async (opId) => (await lostOf(db, opId))?.stages.flatMap(({ writes }) => writes) ?? [],
    open: async (target) => {
      let query = db.selectFrom('operations').selectAll().where('ended_at', 'is', null);
      if (target) query = query.where('target', '=', formatTarget(target));
      const rows = await query.orderBy('started_at').limit(MOST_OPEN).execute();
      return rows.flatMap((row) => known(row) ?? []);
    },
    lastEnded: async (target) => {
      const ended = db.selectFrom('operations').selectAll().where('target', '=', formatTarget(target)).where('ended_at', 'is not', null);
      return known(await ended.orderBy('ended_at', 'desc').limit(1).executeTakeFirst());
    },
  };
}

async function appendAll(trx: Transaction<Tables>, records: readonly AuditRecord[]): Promise<void> {
  // A write first: it takes the lock. A transaction that read first and wrote later would fail beside a second process on SQLite.
  const locked = await trx
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb.ref('seq') }))
    .where('id', '=', 1)
    .returningAll()
    .executeTakeFirstOrThrow();
  let { seq, hash } = locked;
  const keys = records.map((record) => record.key);
  const present = await trx.selectFrom('audit').select('key').where('key', 'in', keys).execute();
  const seen = new Set(present.map((row) => row.key));
  for (const record of records) {
    if (seen.has(record.key)) continue;
    seen.add(record.key);
    const row = rowOf(record, seq + 1, hash);
    await trx.insertInto('audit').values(row).execute();
    await noteOperation(trx, record);
    seq = row.seq;
    hash = row.hash;
  }
  await trx.updateTable('audit_head').set({ seq, hash }).where('id', '=', 1).execute();
}

async function noteOperation(trx: Transaction<Tables>, record: AuditRecord): Promise<void> {
  if (record.opId === '' || record.kind === 'refusal' || record.kind === 'rules') return;
  const row = { op_id: record.opId, workflow_id: workflowIdOf(record.target), target: formatTarget(record.target), started_at: record.at };
  const { runId } = record.data;
  const run_id = typeof runId === 'string' ? runId : null;
  await trx
    .insertInto('operations')
    .values({ ...row, run_id, ended_at: null, outcome: null, outcome_data: null })
    .onConflict((conflict) => (run_id === null ? conflict.column('op_id').doNothing() : conflict.column('op_id').doUpdateSet({ run_id })))
    .execute();
  if (record.kind !== 'outcome') return;
  const end = { ended_at: record.at, outcome: outcomeKind(record), outcome_data: JSON.stringify(record.data) };
  await trx.updateTable('operations').set(end).where('op_id', '=', record.opId).execute();
}

/** The kind stands in `data.kind` or, where the whole outcome is recorded, in `data.outcome.kind`. */
function outcomeKind(record: AuditRecord): string {
  const kind = record.data['kind'] ?? member(record.data['outcome'], 'kind');
  return typeof kind === 'string' ? kind : 'unknown';
}

function member(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>)[name] : undefined;
}

async function remember(db: Database, operation: Parameters<Audit['started']>[0]): Promise<void> {
  const { opId, workflowId, runId, target, at } = operation;
  await db
    .insertInto('operations')
    .values({
      op_id: opId,
      workflow_id: workflowId,
      run_id: runId,
      target: formatTarget(target),
      started_at: at,
      ended_at: null,
      outcome: null,
      outcome_data: null,
    })
    .onConflict((conflict) => conflict.column('op_id').doUpdateSet({ run_id: runId }))
    .execute();
}

function find(db: Database, opId: string): Promise<OperationRow | undefined> {
  return db.selectFrom('operations').selectAll().where('op_id', '=', opId).executeTakeFirst();
}

function known(row: OperationRow | undefined): KnownOperation | undefined {
  if (!row) return undefined;
  const data = row.outcome_data === null ? undefined : (JSON.parse(row.outcome_data) as Json);
  const words = member(data, 'words') ?? member(member(data, 'outcome'), 'words');
  return {
    opId: row.op_id,
    workflowId: row.workflow_id,
    target: row.target,
    startedAt: row.started_at,
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(typeof words === 'string' ? { words } : {}),
  };
}
