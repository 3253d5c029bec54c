import type { Actor } from './actor.ts';
import type { Doubt } from './verdict.ts';

/** Who must agree before which stage. From configuration, snapshotted into the request. */
export interface GateRule {
  /** The gate stands before the first stage whose exposure is above this share (0..1); 0 = before the first stage of all. */
  readonly above: number;
  readonly approvers: { readonly usergroups: readonly string[]; readonly emails: readonly string[] };
  readonly quorum: number;
  readonly expiryMs: number;
  /** A rollback does without this rule for so long after the operation that it takes back has completed. Absent: 24 h. */
  readonly rollbackWithinMs?: number;
}

/**
 * A point where people must decide. `hold`: the watch could not say healthy or harmful, people choose. `drift`: somebody else has
 * changed what this operation manages, people choose whose values count. `undo`: a rollback would give traffic to somebody who cannot
 * answer it; people may have it all the same.
 */
export interface Gate {
  /** `g1`, `g2`, … within one run. */
  readonly gateId: string;
  readonly kind: 'approval' | 'hold' | 'drift' | 'undo';
  /** The stage that waits behind the gate (approval) or that is held (hold). */
  readonly stage: number;
  readonly planHash: string;
  readonly approvers: readonly Approver[];
  readonly quorum: number;
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly approvals: readonly { readonly by: Approver; readonly at: number }[];
  /** A hold that asks about drops: continuing accepts exactly these. */
  readonly accepts?: readonly Doubt[];
  /** Why it is asked, where no verdict says so. */
  readonly why?: string;
}

export interface Approver {
  readonly id: string;
  readonly name: string;
  readonly slackId?: string;
}

/**
 * `adopt`: what was found is taken as it is, and a new plan goes on from there. `restore`: the values of the stage are written again.
 * `leave`: the operation ends; only its own Service's weight (its own policy object) goes back.
 */
export type Choice = 'approve' | 'reject' | 'extend' | 'continue' | 'rollback' | 'adopt' | 'restore' | 'leave';

const CHOICES: Readonly<Record<Gate['kind'], readonly Choice[]>> = {
  approval: ['approve', 'reject'],
  hold: ['extend', 'continue', 'rollback'],
  drift: ['adopt', 'restore', 'leave'],
  undo: ['rollback'],
};

/** The safe direction, or more of what is there: whoever may speak to the bot may choose it, the requester too. */
const FREE: readonly Choice[] = ['rollback', 'extend', 'leave'];

/** One person's decision, bound to exactly what they saw. */
export interface Decision {
  readonly opId: string;
  readonly gateId: string;
  readonly planHash: string;
  readonly runId: string;
  readonly choice: Choice;
  readonly reason?: string;
  readonly actor: Actor;
}

/** Why a decision is refused; the sentence for each stands in one table (`src/domain/sentences.ts`). */
export type DecisionRefusal =
  | 'NoGateOpen'
  | 'StaleGate'
  | 'StalePlan'
  | 'GateExpired'
  | 'SelfApproval'
  | 'NotAnApprover'
  | 'AlreadyDecided'
  | 'WrongChoice';

/** Why somebody may not help to release an operation whose undo keeps failing. An empty list of releasers: no rule names anybody. */
export function refuseRelease(
  actor: Actor,
  {
    releasers,
    releases,
    requesters,
  }: { readonly releasers: readonly Approver[]; readonly releases: Gate['approvals']; readonly requesters: readonly string[] },
): DecisionRefusal | undefined {
  if (requesters.includes(actor.id)) return 'SelfApproval';
  if (releasers.length > 0 && !releasers.some((one) => one.id === actor.id)) return 'NotAnApprover';
  return releases.some((one) => one.by.id === actor.id) ? 'AlreadyDecided' : undefined;
}

/** The rule that stands before a stage, or undefined. The strictest of the rules that apply wins: highest quorum, then first named. */
export function gateRuleFor(rules: readonly GateRule[], exposure: number, exposureBefore: number): GateRule | undefined {
  return rules.filter((rule) => exposure > rule.above && exposureBefore <= rule.above).toSorted((a, b) => b.quorum - a.quorum)[0];
}

/** Less than any share a rule can name. */
export const LEAST_EXPOSURE = Number.EPSILON;

/**
 * What continuing from a held stage needs: at least what the next stage would, and what a stage that exposes somebody would. A shadow that
 * only observes exposes nobody itself, and what was found by it is accepted for the stages that follow.
 */
export function ruleToContinue(
  rules: readonly GateRule[],
  stage: { readonly exposure: number },
  next?: { readonly exposure: number },
): GateRule | undefined {
  return gateRuleFor(rules, Math.max(stage.exposure, next?.exposure ?? 0, LEAST_EXPOSURE), 0);
}

/**
 * Checks a decision against the gate that is open now. Pure and synchronous, since it runs in an Update validator.
 * `now` is epoch ms; `requesters` are the canonical ids that may not approve (who asked, who asked to continue).
 */
export function refuseDecision(
  gate: Gate | undefined,
  decision: Decision,
  context: { readonly opId: string; readonly runId: string; readonly now: number; readonly requesters: readonly string[] },
): DecisionRefusal | undefined {
  if (!gate) return 'NoGateOpen';
  if (decision.opId !== context.opId || decision.runId !== context.runId || decision.gateId !== gate.gateId) return 'StaleGate';
  if (!gate.planHash.startsWith(decision.planHash) || decision.planHash.length < 12) return 'StalePlan';
  if (context.now >= gate.expiresAt) return 'GateExpired';
  if (!CHOICES[gate.kind].includes(decision.choice)) return 'WrongChoice';
  if (FREE.includes(decision.choice)) return undefined;
  // Accepting is approving, whatever the rules say.
  if (gate.accepts && context.requesters.includes(decision.actor.id)) return 'SelfApproval';
  // No rule asks for approval here: whoever may speak to the bot may continue.
  if (gate.quorum === 0) return undefined;
  const isApprover = gate.approvers.some((approver) => approver.id === decision.actor.id);
  if (decision.choice === 'reject') return isApprover || context.requesters.includes(decision.actor.id) ? undefined : 'NotAnApprover';
  if (context.requesters.includes(decision.actor.id)) return 'SelfApproval';
  if (!isApprover) return 'NotAnApprover';
  if (gate.approvals.some((approval) => approval.by.id === decision.actor.id)) return 'AlreadyDecided';
  return undefined;
}
