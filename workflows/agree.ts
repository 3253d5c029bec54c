import { isCancellation, patched } from '@temporalio/workflow';
import { callsOf } from '../src/domain/lifecycle/calls.ts';
import type { PlanResult } from '../src/domain/lifecycle/contract.ts';
import { type Gate, type GateRule, gateRulesFor, gatesInEmergency, LEAST_EXPOSURE } from '../src/domain/lifecycle/gate.ts';
import type { PlannedUndo } from '../src/domain/lifecycle/lost.ts';
import type { OperationRequest, StageView } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/lifecycle/plan.ts';
import { planDifferences } from '../src/domain/lifecycle/plan-difference.ts';
import { lateRules } from '../src/domain/lifecycle/way-back.ts';
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
  let isLoud = request.emergency === undefined;
  for (;;) {
    const [first] = plan.stages;
    showPlan(course, plan);
    // Before anything is written: everybody knows what nobody has approved.
    if (request.emergency && !isLoud) course.say({ kind: 'emergency', reason: request.emergency.reason });
    isLoud = true;
    if (!first || !ruleBefore(request, plan, first, 0)) {
      // Where people are asked it is below the question.
      if (patched('plan-told')) course.say({ kind: 'plan' });
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
  return rulesBefore(request, plan, stage, exposureBefore)[0];
}

/** All of them, the strictest first: each names people who have to agree. */
function rulesBefore(request: OperationRequest, plan: Plan, stage: PlannedStage, exposureBefore: number): readonly GateRule[] {
  const { gates: all, holdMs } = request.settings;
  if (plan.ask !== undefined && stage === plan.stages[0]) {
    const rules = gateRulesFor(all, 1, 0);
    return rules.length > 0 ? rules : [{ ...ANYBODY, expiryMs: holdMs }];
  }
  const gates = request.emergency ? gatesInEmergency(all, request.emergency.quorum) : all;
  if (plan.back && plan.lowers)
    return stage === plan.stages[0]
      ? gateRulesFor(lateRules(request, plan.back.completedAt), Math.max(stage.exposure, LEAST_EXPOSURE), 0)
      : [];
  if (stage !== plan.stages[0] && stage.reach) return gateRulesFor(gates, stage.reach.after, Math.max(stage.reach.before, LEAST_EXPOSURE));
  if (stage !== plan.stages[0]) return gateRulesFor(gates, stage.exposure, Math.max(exposureBefore, LEAST_EXPOSURE));
  const isWatched = plan.stages.some(({ soakMs }) => soakMs !== 0);
  return gateRulesFor(gates, isWatched ? Math.max(stage.exposure, LEAST_EXPOSURE) : stage.exposure, 0);
}

/** Waits at the gates before a stage, one after the other. Undefined = approved by all of them. */
export async function approval(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  exposureBefore: number,
): Promise<Ending | undefined> {
  const [strictest, ...others] = rulesBefore(request, plan, stage, exposureBefore);
  if (!strictest) return undefined;
  const rules = [strictest, ...(others.length > 0 && patched('every-rule') ? others : [])];
  course.consents = [];
  for (const rule of rules) {
    const ending = await approvalBy(course, request, plan, stage, rule);
    if (ending) return ending;
  }
  return undefined;
}

async function approvalBy(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  rule: GateRule,
): Promise<Ending | undefined> {
  const approvers = await whoDecides(course, rule, request);
  const gate = {
    kind: 'approval',
    stage: stage.number,
    planHash: plan.planHash,
    approvers,
    quorum: rule.quorum,
    ...callsOf(rule),
    ...spentOn(course, rule),
  } satisfies Partial<Gate>;
  const answer = await askPeople(course, { request, rule, gate, waitMs: rule.expiryMs, rest: { phase: 'waiting' } });
  if (answer.choice === 'approve') {
    const by = course.lastGate?.approvals.map((one) => one.by) ?? [];
    course.consents = [...course.consents, { rule, by, at: Date.now() }];
    return undefined;
  }
  const who = { ...(answer.by && { by: answer.by }), ...(answer.reason && { reason: answer.reason }) };
  return answer.choice === 'expired' ? { kind: 'expired', code: 'GateExpired' } : { kind: 'rejected', code: 'Rejected', ...who };
}

/** Each group that must agree is somebody else, unless the rule says otherwise. */
function spentOn({ consents }: Course, { required, samePerson }: GateRule): Pick<Gate, 'spent'> {
  const spent = consents.flatMap(({ by }) => by.map((one) => ({ by: one })));
  return required && !samePerson && spent.length > 0 ? { spent } : {};
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
