import { covers, type Freeze } from '../domain/lifecycle/freeze.ts';
import type { Freezes as Asked } from '../ports.ts';
import type { Database } from './database.ts';
import type { FreezeRow } from './schema.ts';

/** Freezes, shared by all replicas. Who set and lifted them stands in the audit record. */
export interface Freezes extends Asked {
  /** Sets a freeze; one of the same scope is replaced. */
  set(freeze: Freeze): Promise<void>;
  /** Lifts the freeze of exactly this scope from the database; what it was, or undefined where none held. */
  lift(scope: string): Promise<Freeze | undefined>;
  /** All that hold now, the one that ends first in front. */
  list(): Promise<readonly Freeze[]>;
}

/** `now` in epoch ms: a freeze ends by itself. `standing`: those that hold now without being in the database. */
export function createFreezes(db: Database, now: () => number, standing: () => readonly Freeze[] = () => []): Freezes {
  return {
    set: async (freeze) => {
      const row = rowOf(freeze);
      await db.deleteFrom('freezes').where('until', '<=', now()).execute();
      await db
        .insertInto('freezes')
        .values(row)
        .onConflict((conflict) => conflict.column('scope').doUpdateSet(row))
        .execute();
    },
    lift: async (scope) => {
      const row = await db.deleteFrom('freezes').where('scope', '=', scope).returningAll().executeTakeFirst();
      return row && row.until > now() ? freezeOf(row) : undefined;
    },
    list: async () => {
      const rows = await db.selectFrom('freezes').selectAll().where('until', '>', now()).orderBy('until').execute();
      return [...rows.map(freezeOf), ...standing()].toSorted((a, b) => a.until - b.until);
    },
    active: async (target) => {
      const rows = await db.selectFrom('freezes').selectAll().where('until', '>', now()).execute();
      const all = [...rows.map(freezeOf), ...standing()].filter(({ scope }) => covers(scope, target));
      return all.toSorted((a, b) => b.until - a.until)[0];
    },
  };
}

function rowOf({ scope, reason, by, setAt, until }: Freeze): FreezeRow {
  return { scope, reason, by_id: by.id, by_name: by.name, set_at: setAt, until };
}

function freezeOf({ scope, reason, by_id, by_name, set_at, until }: FreezeRow): Freeze {
  return { scope, reason, by: { id: by_id, name: by_name }, setAt: set_at, until };
}
