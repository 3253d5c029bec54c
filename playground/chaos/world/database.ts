import { type Database, openDatabase } from '../../../src/audit/database.ts';
import { GENESIS } from '../../../src/audit/schema.ts';
import type { Faults } from './faults.ts';

let opened: Promise<Database> | undefined;

/** One database in memory for all runs of this process, emptied for each: its tables take longer to make than a run lasts. */
export async function cleared(): Promise<Database> {
  opened ??= openDatabase(':memory:');
  const database = await opened;
  for (const table of ['audit', 'operations', 'requests', 'freezes', 'watch_records'] as const) await database.deleteFrom(table).execute();
  await database.updateTable('audit_head').set({ seq: 0, hash: GENESIS }).where('id', '=', 1).execute();
  return database;
}

/** Every call goes over the wire to the database, which may be away. `hang`: what node-postgres' statement timeout makes of it. */
export function overDatabase<T extends object>(target: T, faults: Faults): T {
  const fail = (): Error => new Error('the database does not answer');
  return new Proxy(target, {
    get: (object, name) => {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) =>
        faults.call('database', () => member.apply(object, args) as unknown, fail, { ms: 1, deadlineMs: 2_000 });
    },
  });
}
