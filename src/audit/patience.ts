// SQLite waits for another process's lock inside the call, on the one thread that also fires fuses. Here the waiting is ours, between calls.
import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery, type DatabaseConnection, type Driver, SqliteDialect } from 'kysely';

/** For so long a statement is tried again while another process holds the file; milliseconds. Writes here take well under one. */
const PATIENCE_MS = 2_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/** True for SQLITE_BUSY and SQLITE_LOCKED (https://www.sqlite.org/rescode.html), whose text begins `database is locked` or `database table is locked`. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /database( table)? is locked/i.test(error.message);
}

/** Does `work` again while the file is busy, without holding the thread in between. Throws what it threw last. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      await sleep(pause);
    }
  }
}

/** SQLite whose statements wait for another process between tries; a transaction takes the lock when it begins, and never waits after. */
export class PatientDialect extends SqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    const patient = new WeakMap<DatabaseConnection, DatabaseConnection>();
    return {
      init: (options) => driver.init(options),
      acquireConnection: async (options) => {
        const connection = await driver.acquireConnection(options);
        const known = patient.get(connection) ?? patientConnection(connection);
        patient.set(connection, known);
        return known;
      },
      beginTransaction: async (connection) => void (await connection.executeQuery(CompiledQuery.raw('begin immediate'))),
      commitTransaction: (connection) => driver.commitTransaction(connection),
      rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
      releaseConnection: (connection, options) => driver.releaseConnection(connection, options),
      destroy: (options) => driver.destroy(options),
    };
  }
}

function patientConnection(connection: DatabaseConnection): DatabaseConnection {
  return {
    executeQuery: (query, options) => patiently(() => connection.executeQuery(query, options)),
    streamQuery: (query, chunkSize, options) => connection.streamQuery(query, chunkSize, options),
  };
}
