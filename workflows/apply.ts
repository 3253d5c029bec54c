import { patched } from '@temporalio/workflow';
import type { ApplyResult } from '../src/domain/lifecycle/contract.ts';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import { type Original, objectKey, type Plan, type PlannedStage, tokenOf, type Write } from '../src/domain/lifecycle/plan.ts';
import type { Course } from './course.ts';
import { sizeOf } from './steps.ts';

/** Brings one stage into force: claims what is not ours yet, writes, waits for the controller's word. */
export async function apply(course: Course, request: OperationRequest, plan: Plan, planned: PlannedStage): Promise<Ending | undefined> {
  course.showStage(planned.number, { state: 'applying', startedAt: Date.now() }, { phase: 'applying' });
  const stage = fromAdopted(course, planned);
  const unclaimed = stage.writes.filter(({ object }) => !course.tokens[objectKey(object)]?.startsWith(`${course.opId}/`));
  if (unclaimed.length > 0) {
    const refused = await write(course, request, plan, claimOf(unclaimed));
    if (refused) return refused;
  }
  return write(course, request, plan, stage);
}

/** The stage as planned, but from what another hand wrote where that was adopted. */
function fromAdopted({ adoptions }: Course, stage: PlannedStage): PlannedStage {
  const writes = stage.writes.map((one): Write => {
    const adopted = Object.entries(adoptions[objectKey(one.object)] ?? {}).filter(([field]) => field in one.before);
    return adopted.length === 0 ? one : { ...one, before: { ...one.before, ...Object.fromEntries(adopted) } };
  });
  return { ...stage, writes };
}

/**
 * Stage 0: the token alone, before anything else is written. The undo takes it away, so an attempt of a first stage that comes out of
 * a partition after the undo finds no token of its operation and is refused, even if the undo had nothing else to put back.
 */
function claimOf(writes: readonly Write[]): PlannedStage {
  return { number: 0, label: 'claim', exposure: 0, writes: writes.map((one) => ({ ...one, after: one.before })), soakMs: 0 };
}

/** Writes one stage. `mine`: what the undo may take for this operation's own values, where that is not all of the stage. */
export async function write(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  mine: readonly Write[] = stage.writes,
): Promise<Ending | undefined> {
  registerUndo(course, plan, stage, mine);
  // Armed from the first write on: what is written takes effect before anybody says so. What lowers has no fuse: it would raise again.
  if (stage.number > 0 && course.isGuarded && !course.keeps) course.guards.arm({ applying: stage });
  const tokenBefore = Object.fromEntries(stage.writes.map(({ object }) => [objectKey(object), course.tokens[objectKey(object)] ?? null]));
  const record = (result: ApplyResult['kind'] | 'unknown'): void =>
    course.record('write', { stage: stage.number, result, writes: stage.writes as never }, request.requester.id);
  const applied = await course
    .step(
      'apply',
      sizeOf(stage.writes),
    )({
      opId: course.opId,
      target: plan.target,
      stage,
      tokenBefore,
      as: request.requester.kubernetes,
      ...(stage.number === 0 && !course.keeps && { details: plan.details }),
      ...(!course.keeps && { asked: { requester: request.requester, channelId: request.channel.channelId } }),
    })
    .catch((error: unknown) => {
      // It was stopped, or did not answer: it may have written, or may yet. The undo looks; the record says that it was tried.
      if (patched('tried-writes')) record('unknown');
      throw error;
    });
  record(applied.kind);
  if (applied.kind !== 'applied') return refusedWrite(applied);
  Object.assign(course.made, applied.made);
  for (const { object, after } of stage.writes) {
    const key = objectKey(object);
    course.tokens[key] = tokenOf(course.opId, stage.number);
    const adopted = course.adoptions[key];
    if (adopted && stage.number > 0)
      course.adoptions[key] = Object.fromEntries(Object.entries(adopted).filter(([field]) => !(field in after)));
  }
  if (stage.number === 0) return undefined;
  course.exposed = stage;
  const { generations } = applied;
  const timeoutMs = Math.max(request.settings.realiseMs, plan.realiseMs ?? 0);
  const realised = await course.step('realised', timeoutMs)({ stage, generations, timeoutMs });
  return realised.kind === 'realised' ? undefined : { kind: 'failed', code: 'NotRealised', words: realised.words };
}

/** The undo before the do: from here on the operation may have written this stage. */
function registerUndo(course: Course, plan: Plan, stage: PlannedStage, writes: readonly Write[]): void {
  course.plan = plan;
  if (course.written.every((one) => one.stage === 0)) course.firstWriteAt = Date.now();
  const known = new Set(course.originals.map((original) => objectKey(original.object)));
  const added: readonly Original[] = plan.originals.filter((original) => !known.has(objectKey(original.object)));
  course.originals = [...course.originals, ...added];
  for (const { object, token } of added) course.tokens[objectKey(object)] = token;
  course.written.push({ stage: stage.number, writes });
}

function refusedWrite(result: Exclude<ApplyResult, { kind: 'applied' }>): Ending {
  switch (result.kind) {
    case 'drift': {
      const found = result.differences.map(({ object, field, expected, found }) => `${object} ${field} is ${found}, not ${expected}`);
      return { kind: 'drifted', code: 'Drift', words: `Someone else changed the same fields meanwhile: ${found.join('; ')}.` };
    }
    case 'held':
      return {
        kind: 'superseded',
        code: 'Held',
        words: `${result.object.kind} ${result.object.name} is held by operation ${result.token}.`,
      };
    case 'forbidden':
      if (result.by === 'meshops') return { kind: 'failed', code: 'NoLonger', words: result.words };
      return { kind: 'failed', code: 'Forbidden', words: `Kubernetes refused the write: ${result.words.replace(/\.?$/, '.')}` };
  }
}
