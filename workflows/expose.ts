import type { Gate } from '../src/domain/gate.ts';
import { gateRuleFor } from '../src/domain/gate.ts';
import type { OperationRequest } from '../src/domain/operation.ts';
import type { Ending } from '../src/domain/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/plan.ts';
import type { Verdict } from '../src/domain/verdict.ts';
import { approval, ruleBefore } from './agree.ts';
import { apply } from './apply.ts';
import type { Answer, Course } from './course.ts';
import { asksAboutDrift, meetDrift } from './drift.ts';
import { heedsFreezes, isFree, untilThawed } from './freeze.ts';
import { guarded, harm, watch } from './guard.ts';
import { whoDecides } from './patience.ts';

/** What comes after a stage: an ending (everything is to be undone), a new plan, or undefined (the next stage). */
export type Next = Ending | 'replan' | undefined;

/** Brings one stage into force and watches it. */
export async function expose(course: Course, request: OperationRequest, plan: Plan, planned: PlannedStage): Promise<Next> {
  let stage = numbered(course, planned);
  const before = course.exposed?.exposure ?? 0;
  if (planned !== plan.stages[0]) {
    if (heedsFreezes(request, plan) && !(await isFree(request))) {
      const thawed = await guarded(course, () => untilThawed(course, stage));
      const stopped = 'ending' in thawed ? thawed.ending : thawed.done;
      if (stopped) return stopped;
    }
    if (ruleBefore(request, plan, stage, before)) {
      const gate = await guarded(course, () => approval(course, request, plan, stage, before));
      const ending = 'ending' in gate ? gate.ending : gate.done;
      if (ending) return ending;
    }
  }
  const standing = course.exposed;
  let refused = await apply(course, request, plan, stage);
  if (refused?.kind === 'drifted' && standing && asksAboutDrift()) {
    course.showStage(stage.number, { state: 'pending' });
    const met = await meetDrift(course, request, plan, standing, refused);
    if ('ending' in met) return met.ending;
    if (met.kind === 'replan') return 'replan';
    stage = numbered(course, planned);
    refused = await apply(course, request, plan, stage);
  }
  return refused ?? soak(course, request, plan, stage);
}

function numbered(course: Course, stage: PlannedStage): PlannedStage {
  return course.offset === 0 ? stage : { ...stage, number: stage.number + course.offset };
}

/** Watches the stage until it is healthy, harmful, or people have answered a hold. A stage that exposes nobody needs no watch. */
async function soak(course: Course, request: OperationRequest, plan: Plan, planned: PlannedStage): Promise<Next> {
  let stage = planned;
  const soakMs = stage.soakMs ?? request.settings.soakMs;
  while (soakMs > 0) {
    course.showStage(stage.number, { state: 'watching' }, { phase: 'watching', watchUntil: Date.now() + soakMs });
    const { verdict, counts, startedAt, endedAt } = await watch(course, 'stage', stage, soakMs);
    if (verdict.kind === 'healthy') {
      course.showStage(stage.number, { state: 'passed', endedAt: Date.now(), counts }, { verdict });
      return undefined;
    }
    if (verdict.kind === 'harmful') {
      course.showStage(stage.number, { state: 'harmful', endedAt: Date.now(), counts }, { verdict });
      return harm(verdict);
    }
    course.showStage(stage.number, { state: 'held', counts }, { verdict });
    if (verdict.kind === 'drift' && asksAboutDrift()) {
      const met = await meetDrift(course, request, plan, stage, verdict);
      if ('ending' in met) return met.ending;
      if (met.kind === 'replan') return 'replan';
      ({ stage } = met);
      continue;
    }
    const held = await hold(course, request, stage, verdict);
    if ('ending' in held) return held.ending;
    if (held.answer !== 'continue') continue;
    if (verdict.kind === 'doubtful') course.accepted.push(...verdict.doubts.map((doubt) => doubt.key));
    // A doubt that ended the watch early leaves the rest unseen; one that was told at the end of a whole soak does not.
    if (verdict.kind !== 'doubtful' || endedAt - startedAt >= soakMs) break;
  }
  course.showStage(stage.number, { state: 'passed', endedAt: Date.now() });
  return undefined;
}

/** The watch could not say: tell, offer extend / continue / roll back, keep the fuse armed. Nobody's answer is an answer: roll back. */
export async function hold(
  course: Course,
  request: OperationRequest,
  stage: PlannedStage,
  verdict: Verdict,
): Promise<{ ending: Ending } | { answer: 'extend' | 'continue' }> {
  course.say({ kind: 'verdict', verdict, stage: stage.label });
  const asked = await guarded(course, () => askHold(course, request, stage));
  if ('ending' in asked) return asked;
  const { choice, by, reason } = asked.done;
  if (choice === 'extend' || choice === 'continue') return { answer: choice };
  const code = choice === 'expired' ? 'HoldExpired' : 'HoldRolledBack';
  return { ending: { kind: 'rolled-back', code, verdict, ...(by && { by }), ...(reason && { reason }) } };
}

async function askHold(course: Course, request: OperationRequest, stage: PlannedStage): Promise<Answer> {
  const { gates, holdMs } = request.settings;
  const rule = gateRuleFor(gates, stage.exposure, 0);
  const approvers = rule ? await whoDecides(course, rule, request) : [];
  const planHash = course.plan?.planHash ?? '';
  const gate = { kind: 'hold', stage: stage.number, planHash, approvers, quorum: rule?.quorum ?? 0 } satisfies Partial<Gate>;
  return course.ask(gate, holdMs, { phase: 'holding' });
}
