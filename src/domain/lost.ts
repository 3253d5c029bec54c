import type { Actor } from './actor.ts';
import { type Change, type OperationRequest, type OperationView, takesBack } from './operation.ts';
import type { Original, Plan, PlannedStage, Write } from './plan.ts';
import type { OperationSettings } from './settings.ts';
import type { Target } from './target.ts';
import type { VerbName } from './verbs.ts';

/** How the Temporal server closed a run that wrote no outcome. */
export type HowLost = 'terminated' | 'timed out' | 'failed' | 'cancelled' | 'deleted';

/** Every value that an operation may have written, by stage; what a rollback takes for its own. */
export type Written = readonly { readonly stage: number; readonly writes: readonly Write[] }[];

/** What a `plan` record holds for a rollback. `firstStage`: a later plan replaces the stages from there on, which nobody has written. */
export interface PlannedUndo extends Pick<Plan, 'lowers' | 'back'> {
  readonly firstStage: number;
  readonly originals: readonly Original[];
  readonly stages: readonly Pick<PlannedStage, 'number' | 'label' | 'exposure' | 'writes'>[];
}

/** An operation without an outcome as the record knows it: all that rolling it back needs. */
export interface LostOperation {
  readonly opId: string;
  readonly target: Target;
  readonly verb: VerbName;
  readonly change: Change;
  readonly text: string;
  readonly requester: Actor;
  readonly channel: OperationRequest['channel'];
  readonly startedAt: number;
  readonly runId?: string;
  /** The last plan in words. */
  readonly plan?: Pick<Plan, 'from' | 'to' | 'planHash' | 'lowers' | 'back'>;
  readonly originals: readonly Original[];
  readonly stages: PlannedUndo['stages'];
  /** The last write that is on record (epoch ms); one that is not may have followed. */
  readonly wroteAt?: number;
  /** The operation that has completed on the same target since: what is in force is what people approved there. */
  readonly replacedBy?: string;
}

/** What the run that ends a lost operation begins with: it goes on under the same id, so that tokens and message stay its own. */
export interface Recovery {
  readonly opId: string;
  readonly how: HowLost;
  /** Who rolls it back. Absent: nothing of it is in place, and it is only closed. */
  readonly by?: Actor;
  readonly reason?: string;
  readonly originals: readonly Original[];
  readonly written: Written;
  /** Whoever asks wants it to stay as it is, and agrees to that. */
  readonly keep?: true;
  /** What it has written was replaced by this operation, which has completed. */
  readonly replacedBy?: string;
  /** It only took something away: that stays so, since taking it back would put it in force again. */
  readonly keeps?: boolean;
  readonly view: Partial<OperationView>;
}

/** How long after the command its run may still begin. Milliseconds. */
const VALID_MS = 60_000;

/** The request that starts such a run. `seen`: what people saw of the operation last, where it is still known. */
export function recoveryRequest(
  lost: LostOperation,
  asked: {
    readonly how: HowLost;
    readonly by?: Actor;
    readonly reason?: string;
    /** Something of it may be in place. */
    readonly inPlace: boolean;
    /** What is in place is to stay. */
    readonly keep?: true;
    readonly settings: OperationSettings;
    readonly seen?: OperationView;
    readonly now: number;
  },
): OperationRequest {
  const { how, by, reason, inPlace, keep, settings, seen, now } = asked;
  const { opId, originals, stages, target, verb, change, text, requester, channel, replacedBy } = lost;
  const written = inPlace && replacedBy === undefined ? stages.map(({ number, writes }) => ({ stage: number, writes })) : [];
  const who = { ...(by && { by }), ...(reason !== undefined && { reason }) };
  return {
    requestId: `recovery:${opId}:${now}`,
    verb,
    target,
    change,
    text,
    requester,
    channel,
    requestedAt: now,
    validUntil: now + VALID_MS,
    settings,
    recovery: {
      opId,
      how,
      ...who,
      originals,
      written,
      ...(replacedBy !== undefined && { replacedBy }),
      ...(isKept(lost) && { keeps: true }),
      ...(keep && { keep }),
      view: shownOf(lost, seen),
    },
  };
}

/** Is what a lost operation has written to stay, whoever ends it? */
export function isKept({ change, plan }: LostOperation): boolean {
  return takesBack({ change }, plan) || plan?.lowers === true;
}

/** A lost operation as its message shows it while nobody has rolled it back. */
export function lostView(lost: LostOperation, how: HowLost, workflowId: string, seen?: OperationView): OperationView {
  const { opId, target, verb, text, requester } = lost;
  const base = { opId, workflowId, runId: lost.runId ?? 'none', verb, target, text, requester, explanation: [], watched: [], stages: [] };
  return { ...base, phase: 'holding', startedAt: lost.startedAt, ...shownOf(lost, seen), lost: { how } };
}

/** Gates and holds of the lost run are no question any more. */
function shownOf(lost: LostOperation, seen: OperationView | undefined): Partial<OperationView> {
  const stages = lost.stages.map(({ number, label, exposure }) => ({ number, label, exposure, state: 'passed' as const }));
  const { startedAt, plan } = lost;
  if (!seen) return { startedAt, stages, ...(plan && { from: plan.from, to: plan.to, planHash: plan.planHash }) };
  const { from, to, explanation, watched, planHash, reason, message } = seen;
  const known = {
    ...(reason && { reason }),
    ...(from && { from }),
    ...(to && { to }),
    ...(planHash && { planHash }),
    ...(message && { message }),
  };
  return { startedAt: seen.startedAt, stages: seen.stages, explanation, watched, ...known };
}
