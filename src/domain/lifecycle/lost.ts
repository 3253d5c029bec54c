import type { Target } from '../target.ts';
import { takesBack } from '../verb.ts';
import type { Actor } from './actor.ts';
import type { Change, VerbName } from './change.ts';
import type { HowLost, OperationRequest, OperationView } from './operation.ts';
import type { Original, Plan, PlannedStage } from './plan.ts';
import type { OperationSettings } from './settings.ts';

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
export function isKept({ verb, change, plan }: LostOperation): boolean {
  return takesBack({ verb, change }, plan) || plan?.lowers === true;
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
