import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { sql } from 'kysely';
import type { WatchRecord, WatchRecords } from '../ports.ts';
import type { Database } from './database.ts';

/** What all records may take up, as they are stored; the oldest go first. */
const MOST_BYTES = 512 * 2 ** 20;

/** A stored record without what was heard. */
export type ListedRecord = Omit<WatchRecord, 'text'>;

/** What the judges of all workers heard, shared by all replicas; read by `meshops judge export`. */
export interface Records extends WatchRecords {
  /** The watches of an operation, the first one in front. */
  list(opId: string): Promise<readonly ListedRecord[]>;
  /** Resolves when everything that was handed in is stored, or was refused. */
  settled(): Promise<void>;
  /** One of them in full. */
  read(opId: string, startedAt: number, attempt: number): Promise<WatchRecord | undefined>;
}

/** `keepMs`: older records are forgotten. */
export function createRecords(db: Database, keepMs: () => number): Records {
  const pending = new Set<Promise<void>>();
  const store = async ({ text, ...record }: WatchRecord): Promise<void> => {
    const body = (await promisify(gzip)(text)).toString('base64');
    const row = { ...rowOf(record), bytes: body.length, body };
    await db
      .insertInto('watch_records')
      .values(row)
      .onConflict((conflict) => conflict.columns(['op_id', 'started_at', 'attempt']).doUpdateSet(row))
      .execute();
    await db
      .deleteFrom('watch_records')
      .where('ended_at', '<', record.endedAt - keepMs())
      .execute();
    await forgetBeyond(db, MOST_BYTES);
  };
  return {
    keep: (record) => {
      const stored = store(record).finally(() => pending.delete(stored));
      pending.add(stored);
      return stored;
    },
    settled: async () => void (await Promise.allSettled(pending)),
    list: async (opId) => {
      const columns = ['op_id', 'started_at', 'attempt', 'ended_at', 'stage', 'purpose', 'verdict', 'events'] as const;
      const rows = await db
        .selectFrom('watch_records')
        .select(columns)
        .where('op_id', '=', opId)
        .orderBy('started_at')
        .orderBy('attempt')
        .execute();
      return rows.map(recordOf);
    },
    read: async (opId, startedAt, attempt) => {
      const row = await db
        .selectFrom('watch_records')
        .selectAll()
        .where('op_id', '=', opId)
        .where('started_at', '=', startedAt)
        .where('attempt', '=', attempt)
        .executeTakeFirst();
      return row && { ...recordOf(row), text: (await promisify(gunzip)(Buffer.from(row.body, 'base64'))).toString('utf8') };
    },
  };
}

/** The end of the oldest record that fits no more, if there is one; everything up to it goes. */
async function forgetBeyond(db: Database, bytes: number): Promise<void> {
  const summed = db
    .selectFrom('watch_records')
    .select(['ended_at', sql<number>`sum(bytes) over (order by ended_at desc, started_at desc)`.as('sum')])
    .as('summed');
  const row = await db
    .selectFrom(summed)
    .select((build) => build.fn.max('ended_at').as('until'))
    .where('sum', '>', bytes)
    .executeTakeFirst();
  if (row?.until) await db.deleteFrom('watch_records').where('ended_at', '<=', row.until).execute();
}

type Row = ReturnType<typeof rowOf>;

function rowOf({ opId, startedAt, attempt, endedAt, stage, purpose, verdict, events }: ListedRecord) {
  return { op_id: opId, started_at: startedAt, attempt, ended_at: endedAt, stage, purpose, verdict: verdict ?? null, events };
}

function recordOf({ op_id, started_at, attempt, ended_at, stage, purpose, verdict, events }: Row): ListedRecord {
  const rest = { opId: op_id, startedAt: started_at, attempt, endedAt: ended_at, stage, purpose, events };
  return verdict === null ? rest : { ...rest, verdict };
}
