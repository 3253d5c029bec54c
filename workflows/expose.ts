import { patched } from '@temporalio/workflow';
import type { Verdict } from '../src/domain/judge/verdict.ts';
import { callsOf } from '../src/domain/lifecycle/calls.ts';
import type { Gate } from '../src/domain/lifecycle/gate.ts';
import { gateRulesFor, rulesToContinue } from '../src/domain/lifecycle/gate.ts';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import type { Plan, PlannedStage } from '../src/domain/lifecycle/plan.ts';
import { approval, ruleBefore } from './agree.ts';
import type { Answer } from './answer.ts';
import { apply } from './apply.ts';
import { askEach, askPeople, goneSince, isOld } from './ask.ts';
import type { Course } from './course.ts';
import { asksAboutDrift, guarded, meetDrift } from './drift.ts';
import { filled, refilled, rejoined } from './fill.ts';
import { heedsFreezes, isFree, untilThawed, whileFrozen } from './freeze.ts';
import { watch } from './guard.ts';
import { harm } from './guards.ts';
import { whoDecides } from './patience.ts';

/** What comes after a stage: an ending (everything is to be undone), a new plan, or undefined (the next stage). */
export type Next = Ending | 'replan' | undefined;

/** Brings one stage into force and watches it. */
export async function expose(course: Course, request: OperationRequest, plan: Plan, planned: PlannedStage): Promise<Next> {
  let stage = numbered(course, planned);
  const before = course.exposed?.exposure ?? 0;
  if (planned !== plan.stages[0] && course.isGuarded && patched('asked-again')) {
    const stopped = await mayWrite(course, request, plan, planned, ruleBefore(request, plan, planned, before) !== undefined);
    if (stopped) return stopped;
    stage = numbered(course, planned);
  } else if (planned !== plan.stages[0]) {
    if (heedsFreezes(request, plan) && !(await isFree(request))) {
      const thawed = next(await guarded(course, () => untilThawed(course, numbered(course, planned))));
      if (thawed) return thawed;
    }
    if (ruleBefore(request, plan, planned, before)) {
      const gate = next(await guarded(course, () => approval(course, request, plan, numbered(course, planned), before)));
      if (gate) return gate;
    }
    stage = numbered(course, planned);
  } else if (heedsFreezes(request, plan) && patched('freeze-before-first') && !(await isFree(request))) {
    // The plan was made once more since people were asked, and a slow API server takes its time for that.
    const thawed = next(await guarded(course, () => whileFrozen(course, numbered(course, planned))));
    if (thawed) return thawed;
  }
  const lapsed = await agreedStill(course, request, plan, planned);
  if (lapsed) return lapsed;
  stage = numbered(course, planned);
  const standing = course.exposed;
  let writing = await filled(course, plan, planned, stage);
  let refused = await apply(course, request, writing.plan, writing.stage);
  if (refused?.kind === 'drifted' && standing && asksAboutDrift()) {
    course.showStage(stage.number, { state: 'pending' });
    const met = await meetDrift(course, request, plan, standing, refused);
    if ('ending' in met) return met.ending;
    if (met.kind === 'replan') return 'replan';
    if (course.isGuarded && patched('asked-again')) {
      const stopped = await mayWrite(course, request, plan, planned, false);
      if (stopped) return stopped;
    }
    stage = numbered(course, planned);
    writing = await filled(course, plan, planned, stage);
    refused = await apply(course, request, writing.plan, writing.stage);
  }
  return refused ?? soak(course, request, { ...writing, planned });
}

/**
 * Waits until nothing forbids the next write: a freeze, and people where a gate stands before the stage. A freeze is asked about last: it may
 * have been set while the gate was open. An approval that was given holds.
 */
async function mayWrite(course: Course, request: OperationRequest, plan: Plan, planned: PlannedStage, hasGate: boolean): Promise<Next> {
  const before = course.exposed?.exposure ?? 0;
  for (let isApproved = !hasGate; ; isApproved = true) {
    if (heedsFreezes(request, plan) && !(await isFree(request))) {
      const thawed = next(await guarded(course, () => whileFrozen(course, numbered(course, planned))));
      if (thawed) return thawed;
    }
    if (isApproved) return undefined;
    const gate = next(await guarded(course, () => approval(course, request, plan, numbered(course, planned), before)));
    if (gate) return gate;
  }
}

/** Looks once more whether whoever has agreed may, where that was a while ago; who may not is asked for again. */
async function agreedStill(course: Course, request: OperationRequest, plan: Plan, planned: PlannedStage): Promise<Next> {
  const before = course.exposed?.exposure ?? 0;
  while (course.consents.some(isOld) && patched('agreed-at-apply')) {
    const looked = await guarded(course, () => goneSince(course, request));
    if (looked === 'replan') return looked;
    if ('ending' in looked) return looked.ending;
    if (looked.done.length === 0) break;
    course.say({ kind: 'no-longer', people: looked.done });
    const gate = next(await guarded(course, () => approval(course, request, plan, numbered(course, planned), before)));
    if (gate) return gate;
  }
  course.consents = [];
  return undefined;
}

function next(done: { readonly done: Ending | undefined } | { readonly ending: Ending } | 'replan'): Next {
  if (done === 'replan') return done;
  return 'ending' in done ? done.ending : done.done;
}

function numbered(course: Course, stage: PlannedStage): PlannedStage {
  return course.offset === 0 ? stage : { ...stage, number: stage.number + course.offset };
}

/** A stage that is in force: as it was written, and as its plan has it. */
interface InForce {
  readonly plan: Plan;
  readonly stage: PlannedStage;
  readonly planned: PlannedStage;
}

/** Watches the stage until it is healthy, harmful, or people have answered a hold. A stage that exposes nobody needs no watch. */
async function soak(course: Course, request: OperationRequest, { plan, stage: written, planned }: InForce): Promise<Next> {
  let stage = written;
  let postponed: readonly string[] = [];
  let refills = 0;
  if (written.soakMs === 0) course.guards.relieve();
  const soakMs = stage.soakMs ?? request.settings.soakMs;
  while (soakMs > 0) {
    course.showStage(stage.number, { state: 'watching' }, { phase: 'watching', watchUntil: Date.now() + soakMs });
    const watching = watch(course, 'stage', stage, soakMs, postponed.length > 0 ? { postponed } : {});
    course.guards.relieve();
    const { verdict, counts, startedAt, endedAt } = await watching;
    if (verdict.kind === 'healthy') {
      course.showStage(stage.number, { state: 'passed', endedAt: Date.now(), counts }, { verdict });
      return undefined;
    }
    if (verdict.kind === 'harmful') {
      course.showStage(stage.number, { state: 'harmful', endedAt: Date.now(), counts }, { verdict });
      return harm(verdict);
    }
    const joined = verdict.kind === 'no-traffic' ? await rejoined(course, request, { plan, planned, stage, before: refills }) : undefined;
    if (joined) {
      if ('ending' in joined) return joined.ending;
      ({ stage } = joined);
      refills += 1;
      continue;
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
    if (held === 'replan') return held;
    if ('ending' in held) return held.ending;
    // Somebody may have had to write the stage again meanwhile.
    if (course.isGuarded) stage = course.exposed ?? stage;
    // Whoever watches on has seen the question: it comes again at the end of the watch, not at its beginning.
    if (verdict.kind === 'doubtful') postponed = held.answer === 'continue' ? [] : verdict.doubts.map(({ key }) => key);
    if (held.answer !== 'continue') {
      const more = await refilled(course, request, plan, planned, stage);
      if ('ending' in more) return more.ending;
      ({ stage } = more);
      continue;
    }
    if (verdict.kind === 'doubtful') course.accept(verdict.doubts);
    // A doubt that ended the watch early leaves the rest unseen; one that was told at the end of a whole soak does not.
    if (verdict.kind !== 'doubtful' || endedAt - startedAt >= soakMs) break;
  }
  course.showStage(stage.number, { state: 'passed', endedAt: Date.now() });
  return undefined;
}

/** The watch could not say: tell, offer extend / continue / roll back, keep the fuse armed. An unanswered hold rolls back. */
export async function hold(
  course: Course,
  request: OperationRequest,
  stage: PlannedStage,
  verdict: Verdict,
): Promise<{ ending: Ending } | { answer: 'extend' | 'continue' } | 'replan'> {
  course.say({ kind: 'verdict', verdict, stage: stage.label });
  const asked = await guarded(course, () => {
    const now = course.isGuarded ? (course.exposed ?? stage) : stage;
    if (now !== stage) course.showStage(now.number, { state: 'held' }, { verdict });
    return askHold(course, request, now, verdict);
  });
  if (asked === 'replan' || 'ending' in asked) return asked;
  const { choice, by, reason } = asked.done;
  if (choice === 'extend' || choice === 'continue') return { answer: choice };
  const code = choice === 'expired' ? 'HoldExpired' : 'HoldRolledBack';
  return { ending: { kind: 'rolled-back', code, verdict, ...(by && { by }), ...(reason && { reason }) } };
}

async function askHold(course: Course, request: OperationRequest, stage: PlannedStage, verdict: Verdict): Promise<Answer> {
  const { gates, holdMs } = request.settings;
  const next = course.plan?.stages.find(({ number }) => number + course.offset > stage.number);
  const rules = patched('hold-needs-next') ? rulesToContinue(gates, stage, next) : gateRulesFor(gates, stage.exposure, 0);
  return askEach(rules, async (rule) => {
    const approvers = rule ? await whoDecides(course, rule, request) : [];
    const planHash = course.plan?.planHash ?? '';
    const gate = {
      kind: 'hold',
      stage: stage.number,
      planHash,
      approvers,
      quorum: rule?.quorum ?? 0,
      ...callsOf(rule),
    } satisfies Partial<Gate>;
    const accepts = verdict.kind === 'doubtful' ? { accepts: verdict.doubts } : {};
    return askPeople(course, { request, rule, gate: { ...gate, ...accepts }, waitMs: holdMs, rest: { phase: 'holding' } });
  });
}
