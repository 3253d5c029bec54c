import { randomInt } from 'node:crypto';
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
  /** True once for each person, however long ago that was. */
  isFirst(person: string, now: number): Promise<boolean>;
  /** A readable id for a new operation, such as `canary-k3f2x9qd`, that no other operation has had or will have. */
  newOperationId(verb: string, now: number): Promise<string>;
  /** Forgets what is older than `before` (epoch ms): far beyond the five minutes in which a signature is accepted. */
  forget(before: number): Promise<number>;
}

/** No vowels, so that no words come out, and nothing that looks like something else: 27 signs, 38 bits in 8 of them. */
const SIGNS = '23456789bcdfghjkmnpqrstvwxz';
const LENGTH = 8;
const TRIES = 20;
/** Who was here once is not forgotten with the requests: a hundred years. Milliseconds. */
const KEPT_MS = 100 * 365 * 86_400_000;

/** `random`: a whole number from 0 to below its argument. */
export function createRequests(db: Database, random: (below: number) => number = (below) => randomInt(below)): Requests {
  const isTaken = async (opId: string): Promise<boolean> =>
    (await db.selectFrom('operations').select('op_id').where('op_id', '=', opId).executeTakeFirst()) !== undefined;
  return {
    newOperationId: async (verb, now) => {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const opId = `${verb}-${Array.from({ length: LENGTH }, () => SIGNS[random(SIGNS.length)]).join('')}`;
        // Requests are forgotten in time; by then an operation that has begun is known by itself.
        const reserved = await db
          .insertInto('requests')
          .values({ id: `operation:${opId}`, claimed_at: now, answer: null })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .returning('id')
          .executeTakeFirst();
        if (reserved && !(await isTaken(opId))) return opId;
      }
      throw new Error(`no free id for an operation was found in ${TRIES} tries`);
    },
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
    isFirst: async (person, now) => {
      const inserted = await db
        .insertInto('requests')
        .values({ id: `first-use:${person}`, claimed_at: now + KEPT_MS, answer: null })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      return inserted !== undefined;
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
