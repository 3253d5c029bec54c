import type { Call, Gate, GateRule } from './gate.ts';

/** A newer call about an open question, at an instant (epoch ms). */
export interface DueCall {
  readonly call: Exclude<Call, 'question'>;
  readonly at: number;
}

const USUAL_REMINDER = 0.5;
/** A shorter question is over before a reminder helps anybody. */
const SHORT_MS = 4 * 60_000;
/** Without a reminder. */
const USUAL_ESCALATION = 0.75;

/** When people are called again about a question that is asked now, the earlier first. The escalation comes at half of what the reminder leaves. */
export function callsDue(rule: GateRule | undefined, from: number, waitMs: number): readonly DueCall[] {
  const { remindAt, escalate } = rule?.calls ?? {};
  const share = remindAt ?? (waitMs < SHORT_MS ? 0 : USUAL_REMINDER);
  if (remindAt === undefined && share === 0) return [];
  const later = share > 0 ? (1 + share) / 2 : USUAL_ESCALATION;
  return [
    ...(share > 0 && share < 1 ? [{ call: 'reminder', at: from + share * waitMs } as const] : []),
    ...(escalate !== undefined && later < 1 ? [{ call: 'escalation', at: from + later * waitMs } as const] : []),
  ];
}

/** Whom a gate of this rule calls. */
export function callsOf(rule: GateRule | undefined): Pick<Gate, 'calls'> {
  if (!rule || rule.approvers.usergroups.length + rule.approvers.emails.length === 0) return {};
  const { escalate, dm } = rule.calls ?? {};
  return { calls: { ...rule.approvers, ...(escalate !== undefined && { escalate }), ...(dm && { dm }) } };
}
