import { patched } from '@temporalio/workflow';
import { canonicalJson } from '../src/domain/json.ts';
import { NO_COUNTS, type Verdict } from '../src/domain/judge/verdict.ts';
import { callsOf } from '../src/domain/lifecycle/calls.ts';
import type { Inspection } from '../src/domain/lifecycle/contract.ts';
import { type Gate, gateRulesFor } from '../src/domain/lifecycle/gate.ts';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import { objectKey, type Plan, type PlannedStage, type Write } from '../src/domain/lifecycle/plan.ts';
import { recordOf } from '../src/domain/verb.ts';
import type { Answer } from './answer.ts';
import { write } from './apply.ts';
import { askEach, askPeople } from './ask.ts';
import type { Course } from './course.ts';
import { heedsFreezes, isFree, whileFrozen } from './freeze.ts';
import { watchedWhile } from './guard.ts';
import { guardedBefore } from './guard-before.ts';
import { whoDecides } from './patience.ts';
import { shared } from './steps.ts';

/** `stands`: the values of the stage are in force under a token of ours, as that stage; `replan`: what was found was adopted. */
type Met = { readonly kind: 'stands'; readonly stage: PlannedStage } | { readonly kind: 'replan' } | { readonly ending: Ending };

/** A difference that has gone again when it is looked at is no question; one that keeps coming and going is. */
const MOST_UNASKED = 3;

/** An operation that began before people were asked about drift goes on as it began. */
export function asksAboutDrift(): boolean {
  return patched('drift-choices');
}

/** Somebody else has changed what a stage manages: show who and what, let people choose, do it. Unanswered, it is left. */
export async function meetDrift(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  found: Verdict | Ending,
): Promise<Met> {
  const inspection = await shared.inspect({ opId: course.opId, stage, written: course.written, made: course.made });
  const words = found.words ?? 'Someone else changed the same fields.';
  if (inspection.differences.length === 0) {
    course.unasked += 1;
    const again = `${words} It has come and gone ${MOST_UNASKED} times.`;
    return course.unasked <= MOST_UNASKED ? { kind: 'stands', stage } : { ending: { kind: 'drifted', code: 'Drift', words: again } };
  }
  if (inspection.stuck !== undefined) return { ending: { kind: 'drifted', code: 'Drift', words: `${words} And ${inspection.stuck}.` } };
  const verdict = driftVerdict(found, inspection, words);
  course.say({ kind: 'drift', stage: stage.label, inspection });
  course.showStage(stage.number, { state: 'held' }, { verdict, drift: inspection.differences });
  const asked = await askedWhile(course, () => ask(course, request, stage, inspection));
  course.forget('drift');
  if ('ending' in asked) return asked;
  const { choice, by, reason } = asked.done;
  if (choice === 'adopt' || choice === 'restore') {
    if (!course.isGuarded || !patched('looked-again')) return takeUp(course, request, plan, stage, { inspection, choice });
    return chosen(course, request, plan, stage, { found, inspection, choice });
  }
  const code = choice === 'expired' ? 'HoldExpired' : 'DriftLeft';
  return { ending: { kind: 'drifted', code, words, verdict, ...(by && { by }), ...(reason && { reason }) } };
}

interface Chosen {
  readonly found: Verdict | Ending;
  /** What people were shown. */
  readonly inspection: Inspection;
  readonly choice: 'adopt' | 'restore';
}

/**
 * It may have changed again since people were asked. What has gone needs nothing; what is adopted is what was shown, so anything else is
 * asked about anew. To write more than there is now waits for a freeze like any write.
 */
async function chosen(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  { found, inspection, choice }: Chosen,
): Promise<Met> {
  const now = await shared.inspect({ opId: course.opId, stage, written: course.written, made: course.made });
  if (now.differences.length === 0) return { kind: 'stands', stage };
  if (choice === 'adopt' && canonicalJson(now.found as never) !== canonicalJson(inspection.found as never))
    return meetDrift(course, request, plan, stage, found);
  if (choice === 'restore' && gives(course, now, 'ours') && heedsFreezes(request, plan) && !(await isFree(request))) {
    const thawed = await askedWhile(course, () => whileFrozen(course, stage));
    if ('ending' in thawed) return thawed;
    if (thawed.done) return { ending: thawed.done };
  }
  return takeUp(course, request, plan, stage, { inspection: now, choice });
}

/** Would these values give more to whoever receives than the others? What is no number may. */
function gives({ originals }: Course, { found }: Inspection, more: 'ours' | 'theirs'): boolean {
  return originals.some(({ object, own = [] }) => {
    const { fields = {}, expected = {} } = found[objectKey(object)] ?? {};
    return own.some((field) => {
      const [ours, theirs] = [expected[field], fields[field]];
      if (typeof ours === 'number' && typeof theirs === 'number') return more === 'ours' ? ours > theirs : theirs > ours;
      return more === 'ours' ? ours !== undefined : canonicalJson(ours ?? null) !== canonicalJson(theirs ?? null);
    });
  });
}

/** People are asked while the traffic is judged as it is. */
async function askedWhile<T>(course: Course, work: () => Promise<T>): Promise<{ done: T } | { ending: Ending }> {
  if (!course.isGuarded) return guardedBefore(course, work, { drifted: true });
  const asked = await watchedWhile(course, work, { drifted: true });
  return 'done' in asked ? asked : { done: await work() };
}

/**
 * Does `work` (a gate, a plan, a freeze that is waited for) while what is in force is guarded. What somebody else changes meanwhile is met at
 * once, as in the watch of a stage: the work is put away, people are asked, and it begins anew. Ends with the work's value, an ending, or
 * `replan`: what was found was adopted.
 */
export async function guarded<T>(course: Course, work: () => Promise<T>): Promise<{ done: T } | { ending: Ending } | 'replan'> {
  if (!course.isGuarded) return guardedBefore(course, work);
  for (;;) {
    const watched = await watchedWhile(course, work);
    if ('done' in watched) return watched;
    const { plan, exposed, request } = course;
    if (!plan || !exposed) throw new Error('drift of nothing');
    const met = await meetDrift(course, request, plan, exposed, watched.drift);
    if ('ending' in met) return met;
    if (met.kind === 'replan') return 'replan';
  }
}

async function ask(course: Course, request: OperationRequest, stage: PlannedStage, found: Inspection): Promise<Answer> {
  const { gates, holdMs } = request.settings;
  // Who agrees to what another hand has raised agrees to all that it may be.
  const exposure = gives(course, found, 'theirs') && patched('drift-asks-all') ? 1 : stage.exposure;
  return askEach(gateRulesFor(gates, exposure, 0), async (rule) => {
    const approvers = rule ? await whoDecides(course, rule, request) : [];
    const planHash = course.plan?.planHash ?? '';
    const gate = {
      kind: 'drift',
      stage: stage.number,
      planHash,
      approvers,
      quorum: rule?.quorum ?? 0,
      ...callsOf(rule),
    } satisfies Partial<Gate>;
    return askPeople(course, { request, rule, gate, waitMs: holdMs, rest: { phase: 'holding' } });
  });
}

/**
 * Writes a stage of its own over what was found: the values of the held stage again, or (adopt) the found ones with our token. Either
 * way the expected state and the live one are the same afterwards. What another hand had written is never taken for a value of ours.
 */
async function takeUp(
  course: Course,
  request: OperationRequest,
  plan: Plan,
  stage: PlannedStage,
  { inspection, choice }: { readonly inspection: Inspection; readonly choice: 'adopt' | 'restore' },
): Promise<Met> {
  const number = course.stagesUsed + 1;
  const later = number - stage.number;
  course.offset += later;
  const writes = Object.entries(inspection.found).map(([key, { object, uid, generation, fields, expected, token }]): Write => {
    course.tokens[key] = token;
    return { object, uid, generation, before: fields, after: choice === 'adopt' ? fields : expected };
  });
  const label = choice === 'adopt' && !stage.label.endsWith('(adopted)') ? `${stage.label} (adopted)` : stage.label;
  const next: PlannedStage = { ...stage, number, label, writes };
  const rows = course.view.stages.map((row) => {
    if (row.number === stage.number) return { ...row, number, label };
    return row.number > stage.number ? { ...row, number: row.number + later } : row;
  });
  course.show({ stages: rows });
  course.showStage(number, { state: 'applying' }, { phase: 'applying' });
  const mine = writes.map((one) => ({ ...one, before: one.after }));
  const ending = await write(course, request, plan, next, mine);
  if (ending) return { ending };
  if (choice === 'restore') return { kind: 'stands', stage: next };
  if (adoptsInPlace(plan)) {
    for (const { object, after } of writes) course.adoptions[objectKey(object)] = { ...course.adoptions[objectKey(object)], ...after };
    return { kind: 'stands', stage: next };
  }
  course.showStage(number, { state: 'passed', endedAt: Date.now() });
  course.adopted = true;
  return { kind: 'replan' };
}

/** What was found stands as this stage, and those that were agreed to go on from it. An operation that began before this was so plans anew. */
function adoptsInPlace({ verb }: Plan): boolean {
  return recordOf(verb).adoptsInPlace && patched('adopt-in-place');
}

function driftVerdict(found: Verdict | Ending, { differences: [first] }: Inspection, words: string): Verdict {
  if (found.kind === 'drift') return found;
  const { object = '', field = '', manager = '' } = first ?? {};
  return { kind: 'drift', counts: NO_COUNTS, object, field, manager, words };
}
