import type { DirectionDecision } from '../decision.ts';
import type { DenialDoubt } from '../dryrun/doubts.ts';
import type { Evaluator } from '../evaluator.ts';
import type { PolicyFlow } from '../flow.ts';
import type { Direction } from '../policy.ts';
import type { Cause, Newly } from './connection.ts';

/** The policies of the subject before the operation, and with the candidate as far as it is in force (or, in observe, as a whole). */
export interface Compared {
  readonly before: Pick<Evaluator, 'decide'>;
  readonly candidate: Pick<Evaluator, 'decide' | 'explain'>;
  /** The candidate with its deny rules at their widest, where they speak of groups of addresses that lie elsewhere. */
  readonly worst?: Pick<Evaluator, 'decide'> | undefined;
}

/** Whose doing a drop is: only the subject's own direction counts, since the policies of its peer are not what changes. */
export function causeOf({ before, candidate, worst = candidate }: Compared, flow: PolicyFlow, direction: Direction): Cause {
  if (!isAllowed(before.decide(flow)[direction])) return 'before';
  return isAllowed(candidate.decide(flow)[direction]) && isAllowed(worst.decide(flow)[direction]) ? 'unexplained' : 'candidate';
}

/** Allowed by the candidate as far as its documents tell, and perhaps denied by a group that lies elsewhere: the shadow denies nothing, so it does not show. */
export function mayBeDenied({ before, candidate, worst }: Compared, flow: PolicyFlow, direction: Direction): boolean {
  if (!worst || !isAllowed(before.decide(flow)[direction])) return false;
  return isAllowed(candidate.decide(flow)[direction]) && !isAllowed(worst.decide(flow)[direction]);
}

/** What the datapath itself says about a forwarded connection while the shadow stands. */
interface ShadowVerdict {
  /** The shadow selects the pod in this direction. */
  readonly stands: boolean;
  /** `policy_log` carries our marker: one of the candidate's allows matched. */
  readonly marked: boolean;
  /** `policy_match_type` 4: nothing but the wildcard matched. */
  readonly unmatched: boolean;
}

/**
 * Would the candidate drop what has been let through? The datapath knows what a record does not (names behind addresses, groups), so its
 * marker beats an evaluator that finds no allow; but it cannot know of deny entries and proxies, which the shadow leaves out: there
 * the evaluator speaks alone.
 */
export function wouldDrop({ before, candidate }: Compared, flow: PolicyFlow, direction: Direction, shadow: ShadowVerdict): boolean {
  if (!isAllowed(before.decide(flow)[direction])) return false;
  if (isAllowed(candidate.decide(flow)[direction])) {
    // The node reaches its own pods by a rule of its own, which is no allow of the candidate's: kubelet's probes.
    const isHost = candidate.explain(flow)[direction]?.kind === 'host';
    return shadow.stands && shadow.unmatched && !shadow.marked && !isHost;
  }
  if (!shadow.stands || !shadow.marked) return true;
  const reason = candidate.explain(flow)[direction]?.kind;
  return reason === 'deny' || reason === 'l7';
}

/** No policies are enforced on that end: nothing of ours drops it. */
function isAllowed(decision: DirectionDecision | null): boolean {
  return decision?.allowed ?? true;
}

/** What the pods were held to just before a stage, and are now. */
export interface Step {
  readonly before: Pick<Evaluator, 'decide'>;
  readonly now: Pick<Evaluator, 'decide'>;
  /** Why a denial by `now` is not certain for a flow: no record of before has the name behind an address. */
  readonly doubt?: DenialDoubt;
}

/** Does the stage decide what was seen before it otherwise, or for the first time? `was` and `is`: the same flow, with the pod as it was and is. */
export function newlyOf(
  { before, now, doubt }: Step,
  { was, is }: { readonly was: PolicyFlow; readonly is: PolicyFlow },
  direction: Direction,
): Newly | undefined {
  const [then, today] = [before.decide(was)[direction], now.decide(is)[direction]];
  if (!today || !isAllowed(then)) return undefined;
  if (!today.allowed) return doubt?.(is, direction) === undefined ? 'denied' : 'enforced';
  const isProxied = today.l7 !== undefined && then?.l7 === undefined;
  // Names that are asked for are few, and each lookup is a connection of its own: one that comes through says what there is to say.
  if (isProxied && today.l7 === 'http') return 'proxied';
  return isProxied || (today.enforced && !then?.enforced) ? 'enforced' : undefined;
}
