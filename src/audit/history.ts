import { sql } from 'kysely';
import type { Counts } from '../domain/judge/verdict.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import type { Database } from './database.ts';

/** One operation as its history shows it, from the audit record alone. */
export interface Past {
  readonly opId: string;
  readonly target: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly outcome?: string;
  readonly words?: string;
  /** What was typed, and by whom (e-mail address). */
  readonly text?: string;
  readonly requester?: string;
  /** Who approved it. */
  readonly approvers: readonly string[];
  readonly counts?: Counts;
  /** Its root message. */
  readonly message?: OperationView['message'];
}

/** Which operations. `since`: begun then or later (epoch ms); `who`: who asked, by e-mail address or what stands before its @. */
export interface PastFilter {
  readonly since?: number;
  readonly who?: string;
  readonly verb?: string;
  readonly outcome?: string;
}

/** The last operations on a target, or on all, newest first; at most `limit`. */
export async function historyOf(db: Database, target: Target | undefined, filter: PastFilter = {}, limit = 10): Promise<readonly Past[]> {
  const { since, who, verb, outcome } = filter;
  let query = db.selectFrom('operations').selectAll();
  if (target) query = query.where('target', '=', formatTarget(target));
  if (since !== undefined) query = query.where('started_at', '>=', since);
  if (verb !== undefined) query = query.where('op_id', 'like', `${verb}-%`);
  if (outcome !== undefined) query = query.where('outcome', '=', outcome);
  if (who !== undefined) {
    const asked = db.selectFrom('audit').select('op_id').where('kind', '=', 'request');
    const isWho = who.includes('@')
      ? asked.where('actor', '=', who)
      : asked.where(sql`substr(actor, 1, ${who.length + 1})`, '=', `${who}@`);
    query = query.where('op_id', 'in', isWho);
  }
  const rows = await query.orderBy('started_at', 'desc').limit(limit).execute();
  if (rows.length === 0) return [];
  const records = await db
    .selectFrom('audit')
    .select(['op_id', 'kind', 'actor', 'body'])
    .where(
      'op_id',
      'in',
      rows.map((row) => row.op_id),
    )
    .where('kind', 'in', ['request', 'decision'])
    .orderBy('seq')
    .execute();
  return rows.map((row): Past => {
    const own = records.filter((record) => record.op_id === row.op_id);
    const request = own.find((record) => record.kind === 'request');
    const text = request && dataOf(request.body)['text'];
    const approved = own.filter((record) => record.kind === 'decision' && dataOf(record.body)['choice'] === 'approve');
    const data = row.outcome_data === null ? {} : (JSON.parse(row.outcome_data) as OutcomeData);
    return {
      opId: row.op_id,
      target: row.target,
      startedAt: row.started_at,
      approvers: [...new Set(approved.flatMap(({ actor }) => actor ?? []))],
      ...(row.ended_at !== null && { endedAt: row.ended_at }),
      ...(row.outcome !== null && { outcome: row.outcome }),
      ...(data.words !== undefined && { words: data.words }),
      ...(typeof text === 'string' && { text }),
      ...(request?.actor && { requester: request.actor }),
      ...(data.counts && { counts: data.counts }),
      ...(data.message && { message: data.message }),
    };
  });
}

interface OutcomeData {
  readonly words?: string;
  readonly counts?: Counts;
  readonly message?: NonNullable<OperationView['message']>;
}

function dataOf(body: string): Readonly<Record<string, unknown>> {
  return (JSON.parse(body) as { readonly data: Readonly<Record<string, unknown>> }).data;
}
