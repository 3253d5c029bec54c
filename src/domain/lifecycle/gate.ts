import type { Doubt } from '../judge/verdict.ts';
import type { Actor } from './actor.ts';
import { mailboxOf } from './person.ts';

/** Who must agree before which stage. From configuration, snapshotted into the request. */
export interface GateRule {
  /** The gate stands before the first stage whose exposure is above this share (0..1); 0 = before the first stage of all. */
  readonly above: number;
  readonly approvers: { readonly usergroups: readonly string[]; readonly emails: readonly string[] };
  readonly quorum: number;
  readonly expiryMs: number;
  /** A rollback does without this rule for so long after the operation that it takes back has completed. Absent: 24 h. */
  readonly rollbackWithinMs?: number;
  /** How its people are called. */
  readonly calls?: CallRule;
  /** Stands for itself: no stricter rule meets it as well, and who has agreed to another rule of the stage does not count here. */
  readonly required?: true;
  /** Of a required rule: who has agreed to another one may agree to this one as well. */
  readonly samePerson?: true;
}

/** How people hear of a question: when it is asked, when half of the time is gone, and others when nobody has answered. */
export type Call = 'question' | 'reminder' | 'escalation';

/** Of one rule. */
export interface CallRule {
  /** Whoever may answer is reminded after this share of the time (0..1); 0 = never. Absent: at half of it, unless it is short. */
  readonly remindAt?: number;
  /** Id of the usergroup that is called when nobody has answered. */
  readonly escalate?: string;
  /** Whoever may answer gets the question as a direct message, and is not mentioned. */
  readonly dm?: true;
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
  /** Who has agreed to another rule of this stage, and counts no second time. */
  readonly spent?: readonly { readonly by: Approver }[];
  /** Who is called: the rule's people. Absent: no rule names anybody, and whoever asked for the change is called. */
  readonly calls?: GateRule['approvers'] & Pick<CallRule, 'escalate' | 'dm'>;
  /** The latest call that is due; absent: the question itself. */
  readonly call?: Call;
}

export interface Approver {
  readonly id: string;
  readonly name: string;
  readonly slackId?: string;
}

/** People who have agreed to what comes next. */
export interface Consent {
  readonly rule: GateRule;
  readonly by: readonly Approver[];
  /** When it was looked whether they may. */
  readonly at: number;
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

export function isFree(choice: Choice): boolean {
  return FREE.includes(choice);
}

/** One person's decision, bound to exactly what they saw. */
export interface Decision {
  readonly opId: string;
  readonly gateId: string;
  readonly planHash: string;
  readonly runId: string;
  readonly choice: Choice;
  readonly reason?: string;
  readonly actor: Actor;
  /** Does the gate's rule name this person at the moment of the decision? Absent: nobody looked, and whom the gate knows counts. */
  readonly isNamed?: boolean;
}

/** Why a decision is refused; the sentence for each stands in one table (`src/domain/words/sentences.ts`). */
export type DecisionRefusal =
  | 'NoGateOpen'
  | 'StaleGate'
  | 'StalePlan'
  | 'GateExpired'
  | 'SelfApproval'
  | 'NotAnApprover'
  | 'AlreadyDecided'
  | 'CountsOnce'
  | 'WrongChoice';

/** Why somebody may not help to release an operation whose undo keeps failing. An empty list of releasers: no rule names anybody. */
export function refuseRelease(
  actor: Actor,
  { releasers, releases, own }: { readonly releasers: readonly Approver[]; readonly releases: Gate['approvals']; readonly own: boolean },
): DecisionRefusal | undefined {
  if (own) return 'SelfApproval';
  if (releasers.length > 0 && !releasers.some((one) => one.id === actor.id)) return 'NotAnApprover';
  return hasDecided(releases, actor) ? 'AlreadyDecided' : undefined;
}

/**
 * The rules that stand before a stage, the strictest first: highest quorum, then first named. One that a stricter one meets as well is left
 * out: who agrees there is named here too. A stage that passes the shares of several rules at once needs the people of each.
 */
export function gateRulesFor(rules: readonly GateRule[], exposure: number, exposureBefore: number): readonly GateRule[] {
  const sorted = rules.filter((rule) => exposure > rule.above && exposureBefore <= rule.above).toSorted((a, b) => b.quorum - a.quorum);
  return sorted.filter(
    (rule, at) => !sorted.some((other, place) => place !== at && meetsToo(other, rule) && (place < at || !meetsToo(rule, other))),
  );
}

/** Does everything that `one` lets through have the agreement that `other` asks for? */
function meetsToo({ approvers, quorum }: GateRule, other: GateRule): boolean {
  if (other.required) return false;
  const within = (some: readonly string[], all: readonly string[]): boolean => some.every((each) => all.includes(each));
  const { usergroups, emails } = other.approvers;
  return quorum >= other.quorum && within(approvers.usergroups, usergroups) && within(approvers.emails, emails);
}

/** What is left of the rules in an emergency: of each the approvals that it still needs, at most so many. What people decide about a hold is not among them. */
export function gatesInEmergency(rules: readonly GateRule[], quorum: number): readonly GateRule[] {
  return quorum === 0 ? [] : rules.map((rule) => ({ ...rule, quorum: Math.min(rule.quorum, quorum) }));
}

/** The strictest of the rules that stand before a stage, or undefined. */
export function gateRuleFor(rules: readonly GateRule[], exposure: number, exposureBefore: number): GateRule | undefined {
  return gateRulesFor(rules, exposure, exposureBefore)[0];
}

/** Less than any share a rule can name. */
export const LEAST_EXPOSURE = Number.EPSILON;

/**
 * What continuing from a held stage needs: at least what the next stage would, and what a stage that exposes somebody would. A shadow that
 * only observes exposes nobody itself, and what was found by it is accepted for the stages that follow. All of them, the strictest first.
 */
export function rulesToContinue(
  rules: readonly GateRule[],
  stage: { readonly exposure: number },
  next?: { readonly exposure: number },
): readonly GateRule[] {
  return gateRulesFor(rules, Math.max(stage.exposure, next?.exposure ?? 0, LEAST_EXPOSURE), 0);
}

/**
 * Checks a decision against the gate that is open now. Pure and synchronous, since it runs in an Update validator.
 * `now` is epoch ms; `own`: this person has asked for the change, or to continue it, under whatever address.
 */
export function refuseDecision(
  gate: Gate | undefined,
  decision: Decision,
  context: { readonly opId: string; readonly runId: string; readonly now: number; readonly own: boolean },
): DecisionRefusal | undefined {
  if (!gate) return 'NoGateOpen';
  if (decision.opId !== context.opId || decision.runId !== context.runId || decision.gateId !== gate.gateId) return 'StaleGate';
  if (!gate.planHash.startsWith(decision.planHash) || decision.planHash.length < 12) return 'StalePlan';
  if (context.now >= gate.expiresAt) return 'GateExpired';
  if (!CHOICES[gate.kind].includes(decision.choice)) return 'WrongChoice';
  if (isFree(decision.choice)) return undefined;
  // Accepting is approving, whatever the rules say.
  if (gate.accepts && context.own) return 'SelfApproval';
  // No rule asks for approval here: whoever may speak to the bot may continue.
  if (gate.quorum === 0) return undefined;
  const isApprover = decision.isNamed ?? gate.approvers.some((approver) => approver.id === decision.actor.id);
  if (decision.choice === 'reject') return isApprover || context.own ? undefined : 'NotAnApprover';
  if (context.own) return 'SelfApproval';
  if (!isApprover) return 'NotAnApprover';
  if (hasDecided(gate.approvals, decision.actor)) return 'AlreadyDecided';
  return gate.spent && hasDecided(gate.spent, decision.actor) ? 'CountsOnce' : undefined;
}

function hasDecided(approvals: readonly Pick<Gate['approvals'][number], 'by'>[], { id, slack }: Actor): boolean {
  return approvals.some(({ by }) => mailboxOf(by.id) === mailboxOf(id) || (slack !== undefined && by.slackId === slack.userId));
}
