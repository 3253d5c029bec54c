import { isCancellation, patched } from '@temporalio/workflow';
import type { PlanResult } from '../activities/contract.ts';
import { type Gate, type GateRule, gateRuleFor, LEAST_EXPOSURE } from '../src/domain/gate.ts';
import type { PlannedUndo } from '../src/domain/lost.ts';
import type { OperationRequest, StageView } from '../src/domain/operation.ts';
import type { Ending } from '../src/domain/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/plan.ts';
import { planDifferences } from '../src/domain/plan-difference.ts';
import { lateRules } from '../src/domain/way-back.ts';
import { askPeople } from './ask.ts';
import type { Course } from './course.ts';
import { heedsFreezes, refuseFrozen } from './freeze.ts';
import { patiently, recordsComeFirst, recordsKept, whoDecides } from './patience.ts';
import { rootMessage } from './root-message.ts';

export type Agreement = { readonly kind: 'agreed'; readonly plan: Plan } | { readonly kind: 'declined'; readonly ending: Ending };

/** Plans a request and gets the agreement that its first stage needs. An approval is void when the plan has changed under it: ask again. */
export async function agree(course: Course, request: OperationRequest): Promise<Agreement> {
  let plan = await makePlan(course, request);
  if ('ending' in plan) return { kind: 'declined', ending: plan.ending };
  for (;;) {
    const [first] = plan.stages;
    showPlan(course, plan);
    if (!first || !ruleBefore(request, plan, first, 0)) {
      if (recordsComeFirst(request)) await recordsKept(course);
      return { kind: 'agreed', plan };
    }
    const ending = await approval(course, request, plan, first, 0);
    if (ending) return { kind: 'declined', ending };
    if (recordsComeFirst(request)) await recordsKept(course);
    const now = await makePlan(course, request);
    if ('ending' in now) return { kind: 'declined', ending: now.ending };
    if (now.planHash === plan.planHash) return { kind: 'agreed', plan: now };
    course.say({ kind: 'plan-changed', differences: planDifferences(plan, now) });
    plan = now;
  }
}

/** No rule names anybody, and still it must be asked. */
const ANYBODY: Omit<GateRule, 'expiryMs'> = { above: 0, approvers: { usergroups: [], emails: [] }, quorum: 0 };

/**
 * The rule that stands before a stage. Nothing is written without consent: the first stage of a plan that is watched at all asks for
 * it, even where it exposes nobody itself (a shadow that only observes); having agreed to that, people have agreed to what follows it.
 */
export function ruleBefore(request: OperationRequest, plan: Plan, stage: PlannedStage, exposureBefore: number): GateRule | undefined {
  const { gates, holdMs } = request.settings;
  if (plan.ask !== undefined && stage === plan.stages[0]) return gateRuleFor(gates, 1, 0) ?? { ...ANYBODY, expiryMs: holdMs };
  if (plan.back && plan.lowers)
    return stage === plan.stages[0]
      ? gateRuleFor(lateRules(request, plan.back.completedAt), Math.max(stage.exposure, LEAST_EXPOSURE), 0)
      : undefined;
  if (stage !== plan.stages[0] && stage.reach) return gateRuleFor(gates, stage.reach.after, Math.max(stage.reach.before, LEAST_EXPOSURE));
  if (stage !== plan.stages[0]) return gateRuleFor(gates, stage.exposure, Math.max(exposureBefore, LEAST_EXPOSURE));
  const isWatched = plan.stages.some(({ soakMs }) => soakMs !== 0);
  return gateRuleFor(gates, isWatched ? Math.max(stage.exposure, LEAST_EXPOSURE) : stage.exposure, 0);
}

/** Waits at the gate before a stage. Undefined = approved. */
export async function approval(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  exposureBefore: number,
): Promise<Ending | undefined> {
  const rule = ruleBefore(request, plan, stage, exposureBefore);
  if (!rule) return undefined;
  const approvers = await whoDecides(course, rule, request);
  const gate = { kind: 'approval', stage: stage.number, planHash: plan.planHash, approvers, quorum: rule.quorum } satisfies Partial<Gate>;
  const answer = await askPeople(course, { request, rule, gate, waitMs: rule.expiryMs, rest: { phase: 'waiting' } });
  if (answer.choice === 'approve') return undefined;
  const who = { ...(answer.by && { by: answer.by }), ...(answer.reason && { reason: answer.reason }) };
  return answer.choice === 'expired' ? { kind: 'expired', code: 'GateExpired' } : { kind: 'rejected', code: 'Rejected', ...who };
}

async function makePlan(course: Course, request: OperationRequest): Promise<Plan | { ending: Ending }> {
  const frozen = heedsFreezes(request) ? await refuseFrozen(request) : undefined;
  if (frozen) return { ending: frozen };
  const ask = (): Promise<PlanResult> =>
    course.step('plan')({
      opId: course.opId,
      request,
      firstStage: course.stagesUsed + 1,
      ...(course.originals.length > 0 && { originals: course.originals }),
    });
  let result: PlanResult;
  try {
    result = await (patched('patience') ? patiently(course, 'plan', ask) : ask());
  } catch (error) {
    result = unplanned(course, error);
  }
  if (result.kind === 'impossible') return { ending: result };
  const { plan } = result;
  // Back to a state that exposes more is a change like another.
  const late = plan.back && !plan.lowers ? await refuseFrozen(request) : undefined;
  return late ? { ending: late } : plan;
}

/** A further step that cannot be planned is declined: it takes nothing away from what is in place. */
function unplanned(course: Course, error: unknown): Extract<PlanResult, { kind: 'impossible' }> {
  if (isCancellation(error) || !course.exposed || !patched('plan-declined')) throw error;
  return { kind: 'impossible', code: 'PlanFailed', words: `The step could not be planned: ${rootMessage(error)}.` };
}

function showPlan(course: Course, plan: Plan): void {
  // Nothing is said in a thread that is held back, and the plan is what brings it out.
  const comesAfter = plan.attachment !== undefined && patched('file-after-plan');
  if (plan.attachment && !comesAfter) course.say({ kind: 'attachment', attachment: plan.attachment });
  const { from, to, explanation, watched, planHash } = plan;
  const before = course.view.stages.filter((stage) => stage.state !== 'pending');
  const stages: StageView[] = plan.stages.map(({ number, label, exposure }) => ({ number, label, exposure, state: 'pending' }));
  // With all that a rollback needs: it must not die with this run.
  const kept = plan.stages.map(({ number, label, exposure, writes }) => ({ number, label, exposure, writes }));
  const { originals, lowers, back } = plan;
  const way = { ...(lowers && { lowers }), ...(back && { back }) };
  const undo: PlannedUndo = { firstStage: plan.stages[0]?.number ?? 0, originals, stages: kept, ...way };
  course.record('plan', { from, to, planHash, stages: stages.map((stage) => stage.label), explanation, undo: undo as never });
  course.planned(plan);
  course.show({ from, to, explanation, watched, planHash, stages: [...before, ...stages] });
  if (plan.attachment && comesAfter) course.say({ kind: 'attachment', attachment: plan.attachment });
  // A further step needs the same; it is said once.
  if (plan.gitOps && plan.gitOps.text !== course.plan?.gitOps?.text) course.say({ kind: 'attachment', attachment: plan.gitOps });
}
