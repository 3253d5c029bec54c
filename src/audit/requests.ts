import type { Database } from './database.ts';

/** What a request id is: new, or one that was handled before. */
export type Claim =
  | { readonly kind: 'ours' }
  /** `answer` is missing while the first one is still being handled, or when its process died before it answered. */
  | { readonly kind: 'seen'; readonly claimedAt: number; readonly answer?: string };

/**
 * Request ids that were handled, shared by all replicas. Slack's signature alone lets the same request in again for five
 * minutes, and Temporal forgets an update's id with its run.
 */
export interface Requests {
  claim(id: string, now: number): Promise<Claim>;
  answer(id: string, answer: string): Promise<void>;
  /** Forgets what is older than `before` (epoch ms): far beyond the five minutes in which a signature is accepted. */
  forget(before: number): Promise<number>;
}

export function createRequests(db: Database): Requests {
  return {
    claim: async (id, now) => {
      const inserted = await db
        .insertInto('requests')
        .values({ id, claimed_at: now, answer: null })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (inserted) return { kind: 'ours' };
      const row = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      return { kind: 'seen', claimedAt: row.claimed_at, ...(row.answer === null ? {} : { answer: row.answer }) };
    },
    answer: async (id, answer) => {
      await db.updateTable('requests').set({ answer }).where('id', '=', id).execute();
    },
    forget: async (before) => {
      const { numDeletedRows } = await db.deleteFrom('requests').where('claimed_at', '<', before).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}
