// Kysely's SQLite dialect over Node's own SQLite: no native package to build, one file on disk.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteDialect } from 'kysely';
import { isBusy, PatientDialect } from './patience.ts';

/** How long SQLite itself waits for another process's write, holding the thread; milliseconds. Longer waits are in patience.ts. */
const BUSY_MS = 5;
/** How long a start waits for the file, in milliseconds: nothing is judged yet. */
const OPEN_MS = 2_000;

/** A dialect on the file (or `:memory:`). Several processes may open the same file. */
export function sqliteDialect(path: string): SqliteDialect {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(`pragma busy_timeout = ${BUSY_MS}`);
  enterWal(database);
  // Together with WAL this survives a crash of the process; an audit record also has to survive one of the machine.
  database.exec('pragma synchronous = full');
  return new PatientDialect({ database: adapt(database) });
}

/**
 * The journal's mode belongs to the file. Changing it while another process opens the file fails at once, whatever the busy timeout
 * says (SQLite does not call the busy handler there), so it is tried again, for as long.
 */
function enterWal(database: DatabaseSync): void {
  const end = Date.now() + OPEN_MS;
  for (;;) {
    try {
      database.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      if (Date.now() > end || !isBusy(error)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** Statements are kept, since to prepare one takes longer than to run it; an audit has some dozens. */
const MOST_STATEMENTS = 200;

function adapt(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    if (statements.size >= MOST_STATEMENTS) statements.clear();
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const statement = prepared(sql);
      const values = (parameters: readonly unknown[]): SQLInputValue[] => parameters.map(toSqlValue);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        // Read bit by bit: beside it the same statement may be run again.
        iterate: (parameters) => database.prepare(sql).iterate(...values(parameters)),
      };
    },
  };
}

function toSqlValue(value: unknown): SQLInputValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`SQLite cannot hold a value of type ${typeof value}.`);
}
