import type { LostOperation, PlannedUndo } from '../domain/lifecycle/lost.ts';
import type { AuditRecord } from '../domain/lifecycle/operation.ts';
import { type Original, objectKey, type Write } from '../domain/lifecycle/plan.ts';
import { VERB_NAMES, verbIn } from '../domain/verb.ts';
import { lastCompleted } from './completed.ts';
import type { Database } from './database.ts';

type Data = Readonly<Record<string, unknown>>;
type Kept = Omit<AuditRecord, 'data'> & { readonly data: Data };

/** What the record knows of an operation: who asked, what was before, what may have been written. Undefined: too little for a rollback. */
export async function lostOf(db: Database, opId: string): Promise<LostOperation | undefined> {
  const rows = await db
    .selectFrom('audit')
    .select('body')
    .where('op_id', '=', opId)
    .where('kind', 'in', ['request', 'plan', 'write'])
    .orderBy('seq')
    .execute();
  const records = rows.map(({ body }) => JSON.parse(body) as Kept);
  const request = records.find(({ kind }) => kind === 'request');
  if (!request) return undefined;
  const lost = { ...whoAsked(opId, request), ...whatWas(records) };
  const replacedBy = await replacing(db, lost);
  return { ...lost, ...(replacedBy !== undefined && { replacedBy }) };
}

/** An operation that has completed since and has written every object of this one: while this one had not ended, nobody but it could begin before. */
async function replacing(db: Database, { opId, target, verb, startedAt, originals }: LostOperation): Promise<string | undefined> {
  const last = await lastCompleted(db, target, verb);
  if (!last || last.opId === opId || (last.endedAt ?? 0) <= startedAt) return undefined;
  const covered = new Set(last.originals.map(({ object }) => objectKey(object)));
  return originals.every(({ object }) => covered.has(objectKey(object))) ? last.opId : undefined;
}

function whoAsked(opId: string, { at, actor = '', target, data }: Kept) {
  const asked = data as Partial<Pick<LostOperation, 'verb' | 'change' | 'text' | 'requester' | 'channel' | 'runId'>>;
  const { verb = verbIn(opId) ?? VERB_NAMES[0], change = { kind: 'back' }, text = '', requester, runId } = asked;
  return {
    opId,
    target,
    verb,
    change,
    text,
    requester: requester ?? { id: actor, name: actor },
    channel: { teamId: asked.channel?.teamId ?? '', channelId: asked.channel?.channelId ?? '' },
    startedAt: at,
    ...(runId !== undefined && { runId }),
  } as const;
}

interface WriteData {
  readonly stage: number;
  readonly result: string;
  readonly writes: readonly Write[];
  readonly originals?: readonly Original[];
}

function joinedTo(known: readonly Write[], more: readonly Write[]): readonly Write[] {
  const idOf = ({ object, uid }: Write): string => `${objectKey(object)} ${uid}`;
  const ids = new Set(more.map(idOf));
  return [...known.filter((one) => !ids.has(idOf(one))), ...more];
}

function whatWas(records: readonly Kept[]): Pick<LostOperation, 'originals' | 'stages' | 'plan' | 'wroteAt'> {
  const originals = new Map<string, Original>();
  let stages: PlannedUndo['stages'] = [];
  let plan: LostOperation['plan'];
  let wroteAt: number | undefined;
  for (const { kind, data, at } of records) {
    if (kind === 'plan') {
      const { undo, from = '', to = '', planHash = '' } = data as { undo?: PlannedUndo; from?: string; to?: string; planHash?: string };
      const { lowers, back } = undo ?? {};
      plan = { from, to, planHash, ...(lowers && { lowers }), ...(back && { back }) };
      if (!undo) continue;
      stages = [...stages.filter(({ number }) => number < undo.firstStage), ...undo.stages];
      for (const original of undo.originals) originals.set(objectKey(original.object), original);
    } else if (kind === 'write') {
      const { stage, result, writes, originals: joined = [] } = data as unknown as WriteData;
      if (result === 'applied') wroteAt = at;
      // Pods that were not there yet when the plan was made.
      if (result === 'joined')
        stages = stages.map((one) => (one.number === stage ? { ...one, writes: joinedTo(one.writes, writes) } : one));
      for (const original of joined) originals.set(objectKey(original.object), original);
      // Written over drift: no plan has named these stages.
      if (stage > 0 && !stages.some(({ number }) => number === stage))
        stages = [...stages, { number: stage, label: `stage ${stage}`, exposure: 0, writes }];
    }
  }
  return { originals: [...originals.values()], stages, ...(plan && { plan }), ...(wroteAt !== undefined && { wroteAt }) };
}
