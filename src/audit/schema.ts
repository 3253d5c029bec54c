// The tables, and how they came to be. Times are epoch milliseconds.
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export interface AuditRow {
  /** 1, 2, 3 … without a hole. */
  readonly seq: number;
  readonly key: string;
  readonly at: number;
  readonly kind: string;
  readonly op_id: string;
  readonly target: string;
  readonly actor: string | null;
  /** The whole record as canonical JSON: what the hash is taken of. */
  readonly body: string;
  readonly prev: string;
  readonly hash: string;
}
interface HeadRow {
  readonly id: number;
  readonly seq: number;
  readonly hash: string;
}
interface RequestRow {
  readonly id: string;
  readonly claimed_at: number;
  readonly answer: string | null;
}
export interface OperationRow {
  readonly op_id: string;
  readonly workflow_id: string;
  readonly run_id: string | null;
  readonly target: string;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly outcome: string | null;
  readonly outcome_data: string | null;
}
export interface FreezeRow {
  readonly scope: string;
  readonly reason: string;
  readonly by_id: string;
  readonly by_name: string;
  readonly set_at: number;
  readonly until: number;
}
interface WatchRecordRow {
  readonly op_id: string;
  readonly started_at: number;
  readonly attempt: number;
  readonly ended_at: number;
  readonly stage: number;
  readonly purpose: string;
  readonly verdict: string | null;
  readonly events: number;
  /** Length of `body`. */
  readonly bytes: number;
  /** gzip, in base64: one type that SQLite and Postgres share. */
  readonly body: string;
}
export interface HandoverRow {
  readonly op_id: string;
  readonly target: string;
  readonly state: string;
  readonly note: string;
  readonly tries: number;
  readonly checked_at: number | null;
  readonly next_at: number;
}
interface EmergencyRow {
  readonly op_id: string;
  readonly target: string;
  /** Those who have asked for it, as JSON. */
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  readonly until: number;
}
interface EmergencyReviewRow {
  readonly op_id: string;
  /** The mailbox: one person signs once. */
  readonly person: string;
  readonly by: string;
  readonly at: number;
  readonly words: string | null;
}
export interface Tables {
  readonly audit: AuditRow;
  readonly audit_head: HeadRow;
  readonly requests: RequestRow;
  readonly operations: OperationRow;
  readonly freezes: FreezeRow;
  readonly watch_records: WatchRecordRow;
  readonly handovers: HandoverRow;
  readonly emergencies: EmergencyRow;
  readonly emergency_reviews: EmergencyReviewRow;
}

/** Hash before the first record. */
export const GENESIS = '0'.repeat(64);

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-audit-requests-operations': { up: first },
  '002-freezes': { up: freezes },
  '003-watch-records': { up: watchRecords },
  '004-history-indexes': { up: historyIndexes },
  '005-handovers': { up: handovers },
  '006-emergencies': { up: emergencies },
};

async function first(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit')
    .ifNotExists()
    .addColumn('seq', 'bigint', (column) => column.primaryKey())
    .addColumn('key', 'text', (column) => column.notNull().unique())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('op_id', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('actor', 'text')
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('prev', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('audit_head')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute();
  await requestsAndOperations(db);
  await (db as Kysely<Tables>)
    .insertInto('audit_head')
    .values({ id: 1, seq: 0, hash: GENESIS })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

async function requestsAndOperations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('requests')
    .ifNotExists()
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('claimed_at', 'bigint', (column) => column.notNull())
    .addColumn('answer', 'text')
    .execute();
  await db.schema
    .createTable('operations')
    .ifNotExists()
    .addColumn('op_id', 'text', (column) => column.primaryKey())
    .addColumn('workflow_id', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text')
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('outcome', 'text')
    .addColumn('outcome_data', 'text')
    .execute();
  await db.schema.createIndex('operations_by_target').ifNotExists().on('operations').columns(['target', 'ended_at']).execute();
}

async function freezes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('freezes')
    .ifNotExists()
    .addColumn('scope', 'text', (column) => column.primaryKey())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('by_id', 'text', (column) => column.notNull())
    .addColumn('by_name', 'text', (column) => column.notNull())
    .addColumn('set_at', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .execute();
}

async function watchRecords(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('watch_records')
    .ifNotExists()
    .addColumn('op_id', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('ended_at', 'bigint', (column) => column.notNull())
    .addColumn('stage', 'integer', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('verdict', 'text')
    .addColumn('events', 'integer', (column) => column.notNull())
    .addColumn('bytes', 'integer', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('watch_records_key', ['op_id', 'started_at', 'attempt'])
    .execute();
  await db.schema.createIndex('watch_records_by_end').ifNotExists().on('watch_records').column('ended_at').execute();
}

/** What is looked up while people wait and fuses may have to fire: without these each look reads the whole table. */
async function historyIndexes(db: Kysely<unknown>): Promise<void> {
  // Of a large table this takes longer than any other statement may.
  if (db.getExecutor().adapter instanceof PostgresAdapter) await sql`set local statement_timeout = 0`.execute(db);
  const index = (name: string) => db.schema.createIndex(name).ifNotExists();
  await index('audit_by_operation').on('audit').columns(['op_id', 'seq']).execute();
  await index('operations_by_start').on('operations').column('started_at').execute();
  await index('operations_by_target_start').on('operations').columns(['target', 'started_at']).execute();
  await index('operations_open').on('operations').columns(['ended_at', 'started_at']).execute();
}

async function handovers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('handovers')
    .ifNotExists()
    .addColumn('op_id', 'text', (column) => column.primaryKey())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('checked_at', 'bigint')
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('handovers_due').ifNotExists().on('handovers').columns(['state', 'next_at']).execute();
  await db.schema.createIndex('handovers_by_target').ifNotExists().on('handovers').columns(['target', 'state']).execute();
}

async function emergencies(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('emergencies')
    .ifNotExists()
    .addColumn('op_id', 'text', (column) => column.primaryKey())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('emergency_reviews')
    .ifNotExists()
    .addColumn('op_id', 'text', (column) => column.notNull())
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('words', 'text')
    .addPrimaryKeyConstraint('emergency_reviews_key', ['op_id', 'person'])
    .execute();
}
