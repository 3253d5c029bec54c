// Finds operations whose run is gone without an outcome: says so where people look, and closes those that left nothing behind.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Audit, KnownOperation } from '../audit/log.ts';
import type { KubeObject } from '../clients/kubernetes/objects.ts';
import type { Shared } from '../domain/lifecycle/contract.ts';
import { isKept, type LostOperation, lostView, recoveryRequest } from '../domain/lifecycle/lost.ts';
import type { AuditRecord } from '../domain/lifecycle/operation.ts';
import { type ObjectRef, parseToken, TOKEN_ANNOTATION } from '../domain/lifecycle/plan.ts';
import type { OperationSettings } from '../domain/lifecycle/settings.ts';
import { AT_ONCE, inParallel } from '../fan-out.ts';
import type { Log } from '../log.ts';
import type { Fate } from '../temporal/fate.ts';
import type { Operations } from '../temporal/operations.ts';

export interface ReconcilerDeps {
  readonly cluster: string;
  readonly audit: Pick<Audit, 'open' | 'lost' | 'append' | 'started'>;
  readonly operations: Pick<Operations, 'listRunning' | 'fate' | 'begin'>;
  readonly read: (object: ObjectRef, signal: AbortSignal) => Promise<KubeObject | undefined>;
  readonly announcer: Pick<Shared, 'announce' | 'say'>;
  readonly settings: (lost: LostOperation) => OperationSettings;
  readonly now: () => number;
  readonly log: Log;
}

const EVERY_MS = 10_000;
/** People are reminded of a change that nobody watches. */
const REMIND_MS = 30 * 60_000;
const READ_MS = 5_000;
const MOST_RUNNING = 5_000;

/** Looks again and again until the signal aborts; the first time at once. */
export async function reconcile(deps: ReconcilerDeps, signal: AbortSignal): Promise<void> {
  const told = new Map<string, number>();
  while (!signal.aborted) {
    try {
      await reconcileOnce(deps, told, signal);
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ err: error }, 'lost operations could not be looked for; tried again');
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One look at this cluster's operations without an outcome. `told`: when people last heard that a run is gone (epoch ms), by its id. */
export async function reconcileOnce(deps: ReconcilerDeps, told: Map<string, number>, signal: AbortSignal): Promise<void> {
  const open = (await deps.audit.open()).filter(({ target }) => target.startsWith(`${deps.cluster}/`));
  // The list is a little behind, so it only spares questions: what it does not have is asked about one by one.
  const runs = new Set((await deps.operations.listRunning(MOST_RUNNING)).map(({ runId }) => runId));
  for (const known of open.filter(({ runId }) => runId === undefined || !runs.has(runId))) {
    const fate = await deps.operations.fate(known);
    if (fate.kind === 'runs') continue;
    try {
      if (fate.kind === 'ended') await recordEnd(deps, known, fate);
      else await meet(deps, known, fate, told, signal);
    } catch (error) {
      deps.log.warn({ err: error, opId: known.opId }, 'a lost operation could not be dealt with; tried again');
    }
  }
}

/** It came to its end, and the record of that was lost. What Temporal still has of it is better than an operation that never ends. */
async function recordEnd(deps: ReconcilerDeps, { opId }: KnownOperation, { outcome }: Extract<Fate, { kind: 'ended' }>): Promise<void> {
  const lost = await deps.audit.lost(opId);
  if (!lost) return;
  const last = lost.stages.at(-1);
  const back = outcome.kind === 'completed' && last ? { originals: lost.originals, last } : {};
  await deps.audit.append([recordOf(deps, lost, 'outcome', { ...outcome, ...back, opId, late: true })]);
}

async function meet(
  deps: ReconcilerDeps,
  known: KnownOperation,
  fate: Extract<Fate, { kind: 'lost' }>,
  told: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const lost = await deps.audit.lost(known.opId);
  if (!lost) return;
  const held = lost.replacedBy === undefined ? await stageInPlace(deps, lost, signal) : undefined;
  if (held === undefined || isKept(lost)) return close(deps, lost, known, fate);
  // The run that was to end a lost operation may be lost in its turn: who waits for it hears that at once, not with the next reminder.
  const run = known.runId ?? lost.opId;
  if (deps.now() - (told.get(run) ?? Number.NEGATIVE_INFINITY) < REMIND_MS) return;
  deps.log.error({ opId: lost.opId, how: fate.how }, 'nobody watches a change: its run is gone');
  const view = lostView(lost, fate.how, known.workflowId, fate.seen);
  const message = await deps.announcer.announce({ view, channelId: lost.channel.channelId });
  const { wroteAt = lost.startedAt, plan, stages } = lost;
  const label = stages.find(({ number }) => number === held)?.label;
  const note = { kind: 'lost', how: fate.how, wroteAt, ...(label && { label }), ...(plan && { before: plan.from }) } as const;
  // One post for each period, whichever worker makes it: its key is the same, and it is looked for first.
  const key = `${lost.opId}/lost/${run}/${Math.floor((deps.now() - wroteAt) / REMIND_MS)}`;
  await deps.announcer.say({ view: { ...view, message }, thread: message, note, key });
  await deps.audit.append([{ ...recordOf(deps, lost, 'lost', { how: fate.how, stage: held }), key: `${lost.opId}/lost/${run}` }]);
  told.set(run, deps.now());
}

/** The highest stage whose token still stands on an object of it; undefined: nothing of it is in place. */
async function stageInPlace(deps: ReconcilerDeps, { opId, originals }: LostOperation, signal: AbortSignal): Promise<number | undefined> {
  const stages = await inParallel(originals, AT_ONCE, async ({ object }) => {
    const found = await deps.read(object, AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]));
    const token = parseToken(found?.metadata.annotations?.[TOKEN_ANNOTATION] ?? '');
    return token?.opId === opId ? [token.stage] : [];
  });
  const all = stages.flat();
  return all.length === 0 ? undefined : Math.max(...all);
}

/** Nothing of it is in place: a run under its id reads that back where something was written, and ends it. */
async function close(
  deps: ReconcilerDeps,
  lost: LostOperation,
  known: KnownOperation,
  { how, seen }: Extract<Fate, { kind: 'lost' }>,
): Promise<void> {
  const inPlace = lost.wroteAt !== undefined || isKept(lost);
  const request = recoveryRequest(lost, { how, inPlace, settings: deps.settings(lost), ...(seen && { seen }), now: deps.now() });
  const result = await deps.operations.begin(request, { withinMs: 10_000, onSettled: async () => undefined });
  if (result.kind !== 'begun') return;
  const { opId, workflowId } = known;
  await deps.audit.started({ opId, workflowId, runId: result.begun.runId, target: lost.target, at: deps.now() });
  deps.log.info({ opId, how }, 'an operation whose run is gone had nothing in place; it is closed');
}

function recordOf(deps: ReconcilerDeps, { opId, target }: LostOperation, kind: 'outcome' | 'lost', data: object): AuditRecord {
  return { key: `${opId}/${kind}/recovered`, at: deps.now(), kind, opId, target, data: data as AuditRecord['data'] };
}
