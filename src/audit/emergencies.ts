import { type Emergency, REVIEWS, type Review, type Signer } from '../domain/lifecycle/emergency.ts';
import { isSamePerson, mailboxOf } from '../domain/lifecycle/person.ts';
import type { Database } from './database.ts';

/** Emergencies and who has reviewed them, shared by all replicas. The audit record has them too: this is what people are asked to do. */
export interface Emergencies {
  /** Before anything begins. A further one of the same operation has to be reviewed anew. */
  declare(one: Omit<Emergency, 'by' | 'reviews'> & { readonly by: Signer }): Promise<void>;
  find(opId: string): Promise<Emergency | undefined>;
  /** Adds a signature. False: this person has signed already. */
  sign(opId: string, review: Review): Promise<boolean>;
  /** Those that began and that two have not signed yet, the oldest first. */
  open(): Promise<readonly Emergency[]>;
}

const MOST_OPEN = 50;

export function createEmergencies(db: Database): Emergencies {
  const reviewsOf = async (opId: string): Promise<readonly Review[]> => {
    const rows = await db.selectFrom('emergency_reviews').selectAll().where('op_id', '=', opId).orderBy('at').execute();
    return rows.map(({ by, at, words }) => ({ by: JSON.parse(by) as Signer, at, ...(words !== null && { words }) }));
  };
  const find: Emergencies['find'] = async (opId) => {
    const row = await db.selectFrom('emergencies').selectAll().where('op_id', '=', opId).executeTakeFirst();
    if (!row) return undefined;
    const { target, reason, at, until } = row;
    return { opId, target, reason, at, until, by: JSON.parse(row.by) as Signer[], reviews: await reviewsOf(opId) };
  };
  return {
    find,
    declare: async ({ opId, by, ...rest }) => {
      await db.transaction().execute(async (tx) => {
        const before = await tx.selectFrom('emergencies').select('by').where('op_id', '=', opId).executeTakeFirst();
        const known = before ? (JSON.parse(before.by) as Signer[]) : [];
        const all = known.some((one) => isSamePerson(one, by)) ? known : [...known, by];
        const row = { op_id: opId, by: JSON.stringify(all), ...rest };
        await tx.deleteFrom('emergency_reviews').where('op_id', '=', opId).execute();
        await tx
          .insertInto('emergencies')
          .values(row)
          .onConflict((conflict) => conflict.column('op_id').doUpdateSet(row))
          .execute();
      });
    },
    sign: async (opId, { by, at, words }) => {
      const signed = await reviewsOf(opId);
      if (signed.some((one) => isSamePerson(one.by, by))) return false;
      const row = { op_id: opId, person: mailboxOf(by.id), by: JSON.stringify(by), at, words: words ?? null };
      const { numInsertedOrUpdatedRows = 0n } = await db
        .insertInto('emergency_reviews')
        .values(row)
        .onConflict((conflict) => conflict.columns(['op_id', 'person']).doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows > 0n;
    },
    open: async () => {
      const rows = await db
        .selectFrom('emergencies')
        .innerJoin('operations', 'operations.op_id', 'emergencies.op_id')
        .select('emergencies.op_id')
        .where((where) => where.or([where('operations.run_id', 'is not', null), where('operations.outcome', 'is not', null)]))
        .where((where) =>
          where(
            where
              .selectFrom('emergency_reviews')
              .select(({ fn }) => fn.countAll<number>().as('n'))
              .whereRef('emergency_reviews.op_id', '=', 'emergencies.op_id'),
            '<',
            REVIEWS,
          ),
        )
        .orderBy('emergencies.at')
        .limit(MOST_OPEN)
        .execute();
      const all = await Promise.all(rows.map(({ op_id }) => find(op_id)));
      return all.filter((one) => one !== undefined);
    },
  };
}
