import { CancellationScope, isCancellation, log, patched } from '@temporalio/workflow';
import type { Approver, Gate, GateRule } from '../src/domain/gate.ts';
import type { OperationRequest, OperationView } from '../src/domain/operation.ts';
import type { Answer } from './answer.ts';
import { attend } from './attend.ts';
import type { Course } from './course.ts';
import { quick } from './steps.ts';

export interface Asking {
  readonly request: OperationRequest;
  /** Who decides; undefined: whoever may give commands. */
  readonly rule: GateRule | undefined;
  readonly gate: Omit<Gate, 'gateId' | 'openedAt' | 'expiresAt' | 'approvals'>;
  readonly waitMs: number;
  readonly rest: Partial<OperationView>;
}

/**
 * Opens a gate and waits for its answer. While it is open it shows a freeze that covers the target, and who may decide now; what people
 * decided counts if they still may at the moment when it takes effect.
 */
export function askPeople(course: Course, asking: Asking): Promise<Answer> {
  const { gate, waitMs, rest } = asking;
  return patched('attended') ? attended(course, asking) : course.ask(gate, waitMs, rest);
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

async function untilValid(course: Course, { request, rule, gate, waitMs, rest }: Asking): Promise<Answer> {
  const end = Date.now() + waitMs;
  let { approvers } = gate;
  let approvals = carriedOver(course, gate);
  for (;;) {
    const answer = await course.ask({ ...gate, approvers }, end - Date.now(), rest, approvals);
    if (!rule || gate.quorum === 0 || !BINDING.has(answer.choice)) return answer;
    approvers = await approversNow(rule, request, course.lastGate?.approvers ?? approvers);
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

/** Who may decide at this moment. Where nobody can say, whoever could when it was asked last: at most some minutes ago. */
async function approversNow(rule: GateRule, request: OperationRequest, known: readonly Approver[]): Promise<readonly Approver[]> {
  try {
    return await quick.resolveApprovers({ rule, request });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('who may decide could not be read at the decision', { error: String(error) });
    return known;
  }
}
