import { type Database, openDatabase } from '../../../src/audit/database.ts';
import { GENESIS } from '../../../src/audit/schema.ts';

let opened: Promise<Database> | undefined;

/** One database in memory for all runs of this process, emptied for each: its tables take longer to make than a run lasts. */
export async function cleared(): Promise<Database> {
  opened ??= openDatabase(':memory:');
  const database = await opened;
  for (const table of ['audit', 'operations', 'requests', 'freezes', 'watch_records'] as const) await database.deleteFrom(table).execute();
  await database.updateTable('audit_head').set({ seq: 0, hash: GENESIS }).where('id', '=', 1).execute();
  return database;
}
