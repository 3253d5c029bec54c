import type { ApplyResult } from '../activities/contract.ts';
import type { Gate } from '../src/domain/gate.ts';
import { gateRuleFor } from '../src/domain/gate.ts';
import type { OperationRequest } from '../src/domain/operation.ts';
import type { Ending } from '../src/domain/outcome.ts';
import { type Original, objectKey, type Plan, type PlannedStage, tokenOf, type Write } from '../src/domain/plan.ts';
import type { Verdict } from '../src/domain/verdict.ts';
import { approval, needsGate } from './agree.ts';
import type { Answer, Course } from './course.ts';
import { guarded, harm, watch } from './guard.ts';
import { shared } from './steps.ts';

/** Brings one stage into force and watches it. Undefined = it may go on; an ending = everything is to be undone. */
export async function expose(course: Course, request: OperationRequest, plan: Plan, stage: PlannedStage): Promise<Ending | undefined> {
  const before = course.exposed?.exposure ?? 0;
  const isFirst = stage === plan.stages[0];
  if (!isFirst && needsGate(request, stage, before)) {
    const gate = await guarded(course, () => approval(course, request, plan, stage, before));
    const ending = 'ending' in gate ? gate.ending : gate.done;
    if (ending) return ending;
  }
  return (await apply(course, request, plan, stage)) ?? (await soak(course, request, stage));
}

async function apply(course: Course, request: OperationRequest, plan: Plan, stage: PlannedStage): Promise<Ending | undefined> {
  course.showStage(stage.number, { state: 'applying', startedAt: Date.now() }, { phase: 'applying' });
  const unclaimed = stage.writes.filter(({ object }) => !course.tokens[objectKey(object)]?.startsWith(`${course.opId}/`));
  if (unclaimed.length > 0) {
    const refused = await write(course, request, plan, claimOf(unclaimed));
    if (refused) return refused;
  }
  return write(course, request, plan, stage);
}

/**
 * Stage 0: the token alone, before anything else is written. The undo takes it away, so an attempt of a first stage that comes out of
 * a partition after the undo finds no token of its operation and is refused, even if the undo had nothing else to put back.
 */
function claimOf(writes: readonly Write[]): PlannedStage {
  return { number: 0, label: 'claim', exposure: 0, writes: writes.map((one) => ({ ...one, after: one.before })), soakMs: 0 };
}

async function write(course: Course, request: OperationRequest, plan: Plan, stage: PlannedStage): Promise<Ending | undefined> {
  registerUndo(course, plan, stage);
  const tokenBefore = Object.fromEntries(stage.writes.map(({ object }) => [objectKey(object), course.tokens[objectKey(object)] ?? null]));
  const applied = await course.step('apply')({
    opId: course.opId,
    target: plan.target,
    stage,
    tokenBefore,
    as: request.requester.kubernetes,
  });
  course.record('write', { stage: stage.number, result: applied.kind, writes: stage.writes as never }, request.requester.id);
  if (applied.kind !== 'applied') return refusedWrite(applied);
  for (const { object } of stage.writes) course.tokens[objectKey(object)] = tokenOf(course.opId, stage.number);
  if (stage.number === 0) return undefined;
  course.exposed = stage;
  const { generations } = applied;
  const realised = await course.step('realised')({ stage, generations, timeoutMs: request.settings.realiseMs });
  return realised.kind === 'realised' ? undefined : { kind: 'failed', code: 'NotRealised', words: realised.words };
}

/** The undo before the do: from here on the operation may have written this stage. */
function registerUndo(course: Course, plan: Plan, stage: PlannedStage): void {
  course.plan = plan;
  const known = new Set(course.originals.map((original) => objectKey(original.object)));
  const added: readonly Original[] = plan.originals.filter((original) => !known.has(objectKey(original.object)));
  course.originals = [...course.originals, ...added];
  for (const { object, token } of added) course.tokens[objectKey(object)] = token;
  course.written.push({ stage: stage.number, writes: stage.writes });
}

function refusedWrite(result: Exclude<ApplyResult, { kind: 'applied' }>): Ending {
  switch (result.kind) {
    case 'drift': {
      const found = result.differences.map(({ object, field, expected, found }) => `${object} ${field} is ${found}, not ${expected}`);
      return { kind: 'drifted', code: 'Drift', words: `Somebody else changed the same fields meanwhile: ${found.join('; ')}.` };
    }
    case 'held':
      return {
        kind: 'superseded',
        code: 'Held',
        words: `${result.object.kind} ${result.object.name} is held by operation ${result.token}.`,
      };
    case 'forbidden':
      return { kind: 'failed', code: 'Forbidden', words: result.words };
  }
}

/** Watches the stage until it is healthy, harmful, or people have answered a hold. A stage that exposes nobody needs no watch. */
async function soak(course: Course, request: OperationRequest, stage: PlannedStage): Promise<Ending | undefined> {
  const soakMs = stage.soakMs ?? request.settings.soakMs;
  while (soakMs > 0) {
    course.showStage(stage.number, { state: 'watching' }, { phase: 'watching', watchUntil: Date.now() + soakMs });
    const { verdict, counts } = await watch(course, 'stage', stage, soakMs);
    if (verdict.kind === 'healthy') {
      course.showStage(stage.number, { state: 'passed', endedAt: Date.now(), counts }, { verdict });
      return undefined;
    }
    if (verdict.kind === 'harmful') {
      course.showStage(stage.number, { state: 'harmful', endedAt: Date.now(), counts }, { verdict });
      return harm(verdict);
    }
    course.showStage(stage.number, { state: 'held', counts }, { verdict });
    const held = await hold(course, request, stage, verdict);
    if ('ending' in held) return held.ending;
    if (held.answer === 'continue' && verdict.kind === 'doubtful') course.accepted.push(...verdict.doubts.map((doubt) => doubt.key));
    else if (held.answer === 'continue') break;
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
  const approvers = rule ? await shared.resolveApprovers({ rule, request }) : [];
  const planHash = course.plan?.planHash ?? '';
  const gate = { kind: 'hold', stage: stage.number, planHash, approvers, quorum: rule?.quorum ?? 0 } satisfies Partial<Gate>;
  return course.ask(gate, holdMs, { phase: 'holding' });
}
