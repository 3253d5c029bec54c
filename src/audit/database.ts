import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { MIGRATIONS, type Tables } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';

export type Database = Kysely<Tables>;

/** Says why a database address cannot be used; the sentence is meant for whoever starts the process. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused' as const;
}

/** How long a statement on Postgres may take before it counts as failed, in milliseconds. */
const STATEMENT_MS = 2_000;
const INT8 = 20;

/** True when the address names SQLite: `sqlite:<path>`, `file:<path>` or `:memory:`. */
export function isSqlite(url: string): boolean {
  return url === ':memory:' || /^(sqlite|file):/.test(url);
}

/** One SQLite file serves one replica: a second machine would have a file, and a chain, of its own. */
export function refuseReplicas(url: string, replicas: number): void {
  if (replicas <= 1 || !isSqlite(url)) return;
  throw new DatabaseRefused(
    `The configuration names ${replicas} replicas, but DATABASE_URL is a SQLite file, which serves one. ` +
      'Nothing was started. Set DATABASE_URL to a Postgres database (postgres://…), or set replicas to 1.',
  );
}

/**
 * Opens the database and brings its tables up to date. `url`: `sqlite:<path>`, `:memory:`, or `postgres://…`.
 * @throws DatabaseRefused when the address is neither, or the tables cannot be brought up to date.
 */
export async function openDatabase(url: string): Promise<Database> {
  const db = new Kysely<Tables>({ dialect: dialectOf(url) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

function dialectOf(url: string): PostgresDialect | ReturnType<typeof sqliteDialect> {
  if (url === ':memory:') return sqliteDialect(url);
  if (isSqlite(url)) return sqliteDialect(url.replace(/^(sqlite|file):(\/\/)?/, ''));
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new DatabaseRefused('DATABASE_URL must begin with postgres:// or sqlite:. Nothing was started.');
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: STATEMENT_MS,
    statement_timeout: STATEMENT_MS,
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
  });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => undefined);
  return new PostgresDialect({ pool });
}

/** Two processes may start at once on one SQLite file, where Kysely has no lock: the one that comes second finds the work done and looks again. */
async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  let reason: unknown;
  for (let attempt = 0; attempt < 5; attempt++) {
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) return;
    reason = error;
    await sleep(50 * (attempt + 1));
  }
  throw new DatabaseRefused(
    `The database's tables cannot be brought up to date: ${reason instanceof Error ? reason.message : String(reason)}`,
  );
}
