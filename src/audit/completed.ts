import type { Change, VerbName } from '../domain/lifecycle/change.ts';
import { type MessageRef } from '../domain/lifecycle/operation.ts';
import type { Write } from '../domain/lifecycle/plan.ts';
import { type Completed, movedBy } from '../domain/lifecycle/way-back.ts';
import type { Written } from '../domain/lifecycle/written.ts';
import { formatTarget, type Target } from '../domain/target.ts';
import { isWayBack } from '../domain/verb.ts';
import type { Database } from './database.ts';
import type { OperationRow } from './schema.ts';

/** Operations that completed without leaving a change are passed over; more of them in a row than this are not looked through. */
const MOST_LOOKED = 20;

/** The last operation of a verb on a target that completed and left something changed, with everything that it wrote. */
export async function lastCompleted(db: Database, target: Target, verb: VerbName): Promise<Completed | undefined> {
  const rows = await db
    .selectFrom('operations')
    .selectAll()
    .where('target', '=', formatTarget(target))
    // One that was stopped while it only lowered has left a change as well.
    .where((eb) => eb.or([eb('outcome', '=', 'completed'), eb('outcome_data', 'like', '%"wayBack":%')]))
    .where('op_id', 'like', `${verb}-%`)
    .orderBy('ended_at', 'desc')
    .limit(MOST_LOOKED)
    .execute();
  for (const row of rows) {
    const completed = await completedOf(db, row, verb);
    if (completed && movedBy(completed).length > 0) return completed;
  }
  return undefined;
}

/** Messages of earlier operations lose their buttons one operation at a time; these many may have been missed. */
const MOST_MESSAGES = 5;

/** Root messages of the operations of a verb on a target that offered something when they ended, without this one's, newest first. */
export async function earlierMessages(db: Database, target: Target, verb: VerbName, opId: string): Promise<readonly MessageRef[]> {
  const rows = await db
    .selectFrom('operations')
    .select('outcome_data')
    .where('target', '=', formatTarget(target))
    .where('outcome', 'in', ['completed', 'rolled-back'])
    .where('op_id', 'like', `${verb}-%`)
    .where('op_id', '!=', opId)
    .orderBy('ended_at', 'desc')
    .limit(MOST_MESSAGES)
    .execute();
  return rows.flatMap((row) => {
    const { message } = JSON.parse(row.outcome_data ?? '{}') as { readonly message?: MessageRef };
    return message ? [message] : [];
  });
}

interface OutcomeData extends Partial<Pick<Completed, 'originals' | 'last'>> {
  /** Absent in records of earlier versions: there the request says what was asked for. */
  readonly wayBack?: boolean;
}

async function completedOf(db: Database, row: OperationRow, verb: VerbName): Promise<Completed | undefined> {
  const { originals, last, wayBack } = JSON.parse(row.outcome_data ?? '{}') as OutcomeData;
  // An operation that completed without a stage has nothing to go back to.
  if (!originals || !last) return undefined;
  const records = await db
    .selectFrom('audit')
    .select(['kind', 'actor', 'body'])
    .where('op_id', '=', row.op_id)
    .where('kind', 'in', ['request', 'write'])
    .orderBy('seq')
    .execute();
  const request = records.findLast(({ kind }) => kind === 'request');
  const change = request && (dataOf(request.body)['change'] as Change | undefined);
  const written = records.flatMap((record) => (record.kind === 'write' ? writtenIn(dataOf(record.body)) : []));
  return {
    opId: row.op_id,
    originals,
    last,
    ...(written.length > 0 && { written }),
    ...(row.ended_at !== null && { endedAt: Number(row.ended_at) }),
    isWayBack: wayBack ?? (change !== undefined && isWayBack({ verb, change })),
    ...(request?.actor && { by: request.actor }),
  };
}

function writtenIn({ stage, result, writes }: Readonly<Record<string, unknown>>): Written {
  if (result !== 'applied' || typeof stage !== 'number' || !Array.isArray(writes)) return [];
  return [{ stage, writes: writes as readonly Write[] }];
}

function dataOf(body: string): Readonly<Record<string, unknown>> {
  // A record that somebody has changed says nothing; that the chain is broken is for `audit verify` to say.
  return (JSON.parse(body) as { readonly data?: Readonly<Record<string, unknown>> }).data ?? {};
}
