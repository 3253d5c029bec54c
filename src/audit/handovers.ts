import type { MessageRef } from '../domain/lifecycle/operation.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import type { Database } from './database.ts';
import type { HandoverRow } from './schema.ts';

/**
 * What became of a completed operation's values in Git. `pending`: not looked at yet, or Git could not be reached; `differs`: people have the
 * patch or the pull request; `agrees`; `superseded`: a later operation on the same target is what counts.
 */
type HandoverState = 'pending' | 'differs' | 'agrees' | 'superseded';

/** What people are told about it. */
export interface HandoverNote {
  readonly repository?: string;
  readonly branch?: string;
  readonly paths?: readonly string[];
  readonly url?: string;
  readonly problems?: readonly string[];
  /** Why it could not be looked at the last time. */
  readonly reason?: string;
}

export interface Handover {
  readonly opId: string;
  readonly target: Target;
  readonly state: HandoverState;
  readonly note: HandoverNote;
  /** Looks in vain, one after the other. */
  readonly tries: number;
  /** When Git was read last (epoch ms). */
  readonly checkedAt?: number;
  /** The operation's root message. */
  readonly message?: MessageRef;
}

export interface Handovers {
  /** Takes up operations of a cluster that completed after `since` (epoch ms). */
  take(cluster: string, since: number, now: number): Promise<void>;
  /** Those that are due, for this process alone until `until`; another one takes them up after that. */
  claim(cluster: string, now: number, until: number): Promise<readonly Handover[]>;
  save(opId: string, change: Pick<Handover, 'state' | 'note' | 'tries' | 'checkedAt'> & { readonly nextAt: number }): Promise<void>;
  /** Where Git does not agree, or was not asked yet; of one target or all. */
  open(target?: Target): Promise<readonly Handover[]>;
}

const MOST_CLAIMED = 5;
const MOST_OPEN = 50;
const OPEN = ['pending', 'differs'] as const;

export function createHandovers(db: Database): Handovers {
  const joined = () =>
    db
      .selectFrom('handovers')
      .innerJoin('operations', 'operations.op_id', 'handovers.op_id')
      .selectAll('handovers')
      .select('operations.outcome_data as outcome_data')
      .where('state', 'in', [...OPEN]);
  return {
    take: async (cluster, since, now) => {
      const completed = await db
        .selectFrom('operations')
        .select(['op_id', 'target'])
        .where('outcome', '=', 'completed')
        .where('target', 'like', `${cluster}/%`)
        .where('ended_at', '>', since)
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('handovers').select('handovers.op_id').whereRef('handovers.op_id', '=', 'operations.op_id'))),
        )
        .execute();
      for (const { op_id, target } of completed) {
        const row: HandoverRow = { op_id, target, state: 'pending', note: '{}', tries: 0, checked_at: null, next_at: now };
        await db
          .insertInto('handovers')
          .values(row)
          .onConflict((conflict) => conflict.column('op_id').doNothing())
          .execute();
      }
    },
    claim: async (cluster, now, until) => {
      const due = await joined()
        .where('handovers.target', 'like', `${cluster}/%`)
        .where('next_at', '<=', now)
        .orderBy('next_at')
        .limit(MOST_CLAIMED)
        .execute();
      const mine: Handover[] = [];
      for (const row of due) {
        const claimed = await db
          .updateTable('handovers')
          .set({ next_at: until })
          .where('op_id', '=', row.op_id)
          .where('next_at', '=', row.next_at)
          .executeTakeFirst();
        if (Number(claimed.numUpdatedRows) === 1) mine.push(...handoverOf(row));
      }
      return mine;
    },
    save: async (opId, { state, note, tries, checkedAt, nextAt }) => {
      const row = { state, note: JSON.stringify(note), tries, checked_at: checkedAt ?? null, next_at: nextAt };
      await db.updateTable('handovers').set(row).where('op_id', '=', opId).execute();
    },
    open: async (target) => {
      const rows = target ? joined().where('handovers.target', '=', formatTarget(target)) : joined();
      return (await rows.orderBy('operations.ended_at', 'desc').limit(MOST_OPEN).execute()).flatMap(handoverOf);
    },
  };
}

function handoverOf(row: HandoverRow & { readonly outcome_data: string | null }): readonly Handover[] {
  const [cluster = '', namespace = '', name = ''] = row.target.split('/');
  const target = { cluster, namespace, name };
  const { message } = JSON.parse(row.outcome_data ?? '{}') as { readonly message?: MessageRef };
  return [
    {
      opId: row.op_id,
      target,
      state: row.state as HandoverState,
      note: JSON.parse(row.note) as HandoverNote,
      tries: Number(row.tries),
      ...(row.checked_at !== null && { checkedAt: Number(row.checked_at) }),
      ...(message && { message }),
    },
  ];
}
