import { patched } from '@temporalio/workflow';
import { callsOf } from '../src/domain/lifecycle/calls.ts';
import { gateRulesFor } from '../src/domain/lifecycle/gate.ts';
import type { Recovery } from '../src/domain/lifecycle/operation.ts';
import type { Ending } from '../src/domain/lifecycle/outcome.ts';
import { isSamePerson } from '../src/domain/lifecycle/person.ts';
import { objectKey, type PlannedStage, parseToken } from '../src/domain/lifecycle/plan.ts';
import { askPeople } from './ask.ts';
import type { Course } from './course.ts';
import { whoDecides } from './patience.ts';
import { shared } from './steps.ts';

/** Goes on where a run was lost: with what was before and what may have been written. Everything ends with the undo, as ever. */
export function recover(course: Course, recovery: Recovery): Ending {
  const { by, reason, how, replacedBy } = recovery;
  takeUp(course, recovery);
  if (replacedBy !== undefined) {
    const words = `Its run was ${how} on the Temporal server, and ${replacedBy} has completed on the same target since.`;
    return { kind: 'failed', code: 'RunLost', words };
  }
  if (!by) return { kind: 'failed', code: 'RunLost', words: `Its run was ${how} on the Temporal server.` };
  return { kind: 'aborted', code: 'Aborted', by, ...(reason !== undefined && { reason }) };
}

/**
 * What a lost run has written is to stay: whoever asked for that agrees to it, and more people where the rule for its share needs more. What
 * stays can be rolled back like any completed change. Unanswered, it is rolled back, as in every hold.
 */
export async function keep(course: Course, recovery: Recovery): Promise<Ending> {
  takeUp(course, recovery);
  const stage = await stageInPlace(course, recovery);
  if (!stage) return { kind: 'failed', code: 'RunLost', words: 'Nothing of it is in place any more.' };
  course.exposed = stage;
  const { by, reason } = recovery;
  const kept = { kind: 'completed', code: 'Kept', ...(by && { by }), ...(reason !== undefined && { reason }) } as const;
  const { request } = course;
  const { gates, holdMs } = request.settings;
  const [strictest, ...others] = gateRulesFor(gates, stage.exposure, 0);
  if (!strictest) return kept;
  const rules = [strictest, ...(others.length > 0 && patched('every-rule') ? others : [])];
  for (const rule of rules) {
    const approvers = await whoDecides(course, rule, request);
    const first = by && isSamePerson(by, request.requester) ? undefined : approvers.find(({ id }) => id === by?.id);
    const approvals = first ? [{ by: first, at: Date.now() }] : [];
    if (approvals.length >= rule.quorum) continue;
    const planHash = course.view.planHash ?? NO_PLAN;
    const gate = { kind: 'approval', stage: stage.number, planHash, approvers, quorum: rule.quorum, why: KEEP, ...callsOf(rule) } as const;
    const rest = { phase: 'waiting' } as const;
    const answer = patched('keep-reminds')
      ? await askPeople(course, { request, rule, gate, waitMs: holdMs, rest, given: approvals, ignoresFreezes: true })
      : await course.ask(gate, holdMs, rest, approvals);
    if (answer.choice !== 'approve')
      return {
        kind: 'rolled-back',
        code: answer.choice === 'expired' ? 'HoldExpired' : 'HoldRolledBack',
        ...(answer.by && { by: answer.by }),
      };
  }
  return kept;
}

const KEEP = 'What its lost run has written is to stay as it is.';
/** Of an operation whose plan is not on record. */
const NO_PLAN = '0'.repeat(64);

/** The highest stage whose token still stands. */
async function stageInPlace({ opId, view }: Course, { written }: Recovery): Promise<PlannedStage | undefined> {
  const planned = written.map(({ stage, writes }): PlannedStage => {
    const { label = `stage ${stage}`, exposure = 1 } = view.stages.find(({ number }) => number === stage) ?? {};
    return { number: stage, label, exposure, writes };
  });
  const last = planned.at(-1);
  if (!last) return undefined;
  const { found } = await shared.inspect({ opId, stage: last, written });
  const tokens = Object.values(found).map(({ token }) => parseToken(token ?? ''));
  const standing = Math.max(0, ...tokens.map((token) => (token?.opId === opId ? token.stage : 0)));
  return planned.find(({ number }) => number === standing);
}

function takeUp(course: Course, { originals, written, keeps = false }: Recovery): void {
  // Stage 0, the claim, is in no plan.
  const claim = written.length > 0 ? [{ stage: 0, writes: claimOf(written) }] : [];
  course.originals = originals;
  course.keeps = keeps;
  course.written.push(...claim, ...written);
  for (const { object, token } of originals) course.tokens[objectKey(object)] = token;
}

function claimOf(written: Recovery['written']): Recovery['written'][number]['writes'] {
  const firsts = new Map(written.toReversed().flatMap(({ writes }) => writes.map((write) => [objectKey(write.object), write] as const)));
  return [...firsts.values()].map((write) => ({ ...write, after: write.before }));
}
