import { CancellationScope, isCancellation, log, patched } from '@temporalio/workflow';
import type { Approver, Consent, Gate, GateRule } from '../src/domain/lifecycle/gate.ts';
import type { OperationRequest } from '../src/domain/lifecycle/operation.ts';
import type { Answer } from './answer.ts';
import type { Asking } from './attend.ts';
import { attend } from './attend.ts';
import type { Course } from './course.ts';
import { whoDecides } from './patience.ts';
import { quick } from './steps.ts';

/**
 * Opens a gate and waits for its answer. While it is open it shows a freeze that covers the target, and who may decide now; what people
 * decided counts if they still may at the moment when it takes effect.
 */
export function askPeople(course: Course, asking: Asking): Promise<Answer> {
  const { gate, waitMs, rest } = asking;
  return patched('attended') ? attended(course, asking) : course.ask(gate, waitMs, rest);
}

/**
 * Asks the people of each rule, one after the other; without any rule whoever may give commands. Only what all of them have chosen goes forward; any
 * other answer counts at once.
 */
export async function askEach(rules: readonly GateRule[], ask: (rule: GateRule | undefined) => Promise<Answer>): Promise<Answer> {
  const [strictest, ...others] = rules;
  for (;;) {
    const first = await ask(strictest);
    if (others.length === 0 || !BINDING.has(first.choice) || !patched('every-rule')) return first;
    let answer = first;
    for (const rule of others) {
      answer = await ask(rule);
      if (answer.choice !== first.choice) break;
    }
    if (answer.choice === first.choice || !BINDING.has(answer.choice)) return answer;
  }
}

async function attended(course: Course, asking: Asking): Promise<Answer> {
  const scope = new CancellationScope();
  const attending = scope
    .run(() => attend(course, asking))
    .catch((error: unknown) => {
      if (!isCancellation(error)) log.warn('an open question stays as it was asked', { error: String(error) });
    });
  try {
    return await untilValid(course, asking);
  } finally {
    scope.cancel();
    await attending;
    course.forget('frozen');
  }
}

async function untilValid(course: Course, { request, rule, gate, waitMs, rest, given: before }: Asking): Promise<Answer> {
  const end = Date.now() + waitMs;
  let { approvers } = gate;
  let approvals = before ?? carriedOver(course, gate);
  for (;;) {
    const answer = await course.ask({ ...gate, approvers }, end - Date.now(), rest, approvals);
    if (!rule || gate.quorum === 0 || !BINDING.has(answer.choice)) return answer;
    approvers = await approversNow(course, rule, request, course.lastGate?.approvers ?? approvers);
    const given = course.lastGate?.approvals ?? [];
    const deciders = new Map([...given.map(({ by }) => by), ...(answer.by ? [answer.by] : [])].map(({ id, name }) => [id, name]));
    const gone = [...deciders].filter(([id]) => !approvers.some((one) => one.id === id));
    if (gone.length === 0) return answer;
    approvals = given.filter(({ by }) => !gone.some(([id]) => id === by.id));
    course.say({ kind: 'no-longer', people: gone.map(([, name]) => name) });
  }
}

/** What takes something forward. */
const BINDING: ReadonlySet<Answer['choice']> = new Set(['approve', 'continue', 'adopt', 'restore']);

/** Approvals of the same plan that a question in between has put away: nobody need give them again. */
function carriedOver({ lastGate }: Course, { kind, planHash }: Asking['gate']): Gate['approvals'] {
  const isSame = lastGate?.kind === kind && lastGate.planHash === planHash && lastGate.approvals.length < lastGate.quorum;
  return kind === 'approval' && isSame ? lastGate.approvals : [];
}

/** Who may decide at this moment. Where nobody can say it is asked until somebody can: what is not known opens no gate. */
async function approversNow(
  course: Course,
  rule: GateRule,
  request: OperationRequest,
  known: readonly Approver[],
): Promise<readonly Approver[]> {
  try {
    return await quick.resolveApprovers({ rule, request, deciding: true });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('who may decide could not be read at the decision', { error: String(error) });
    return patched('decided-surely') ? whoDecides(course, rule, request) : known;
  }
}

/** What was known at an earlier moment counts for so long. */
const CONSENT_MS = 60_000;

/** Was it looked a while ago whether whoever has agreed may? A freeze or an outage lay in between. */
export function isOld({ rule, at }: Consent): boolean {
  return rule.quorum > 0 && Date.now() - at >= CONSENT_MS;
}

/** Names of those who have agreed and may decide no more. */
export async function goneSince(course: Course, request: OperationRequest): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const { rule, by } of course.consents.filter(isOld)) {
    const now = await whoDecides(course, rule, request);
    gone.push(...by.filter(({ id }) => !now.some((one) => one.id === id)).map(({ name }) => name));
  }
  return gone;
}
