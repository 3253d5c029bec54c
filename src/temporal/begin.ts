import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Begun, OperationRequest, OperationView } from '../domain/lifecycle/operation.ts';
import { taskQueueOf, workflowIdOf } from '../domain/target.ts';
import { meaningOf } from './errors.ts';
import type { BeginResult, Known, Settled } from './results.ts';

/** A retried attempt may wait longer than a person does. Milliseconds. */
const RETRY_DEADLINE_MS = 10_000;
const LONGEST_PAUSE_MS = 5_000;
/** After `validUntil` the workflow refuses the request, so within this time the answer is certain if the server can be reached at all. */
const LAST_WORD_MS = 60_000;

/**
 * A request that is refused as too old while it is not, by the clock that it was made by: not the request is late, the two clocks are apart. No
 * command would ever be young enough, and only whoever sets clocks can help.
 */
export function truthful<T extends Settled | BeginResult>(result: T, { validUntil }: OperationRequest, now: number): T {
  if (result.kind !== 'refused' || result.code !== 'RequestExpired' || now > validUntil) return result;
  return { ...result, code: 'ClocksApart', words: 'ClocksApart' };
}

/** One attempt: starts the operation together with its `begin`, or reaches the one that runs. `deadlineAt` is epoch ms. */
export async function beginOnce(client: Client, request: OperationRequest, deadlineAt: number): Promise<BeginResult> {
  const start = new WithStartWorkflowOperation(request.verb, {
    workflowId: workflowIdOf(request.target),
    taskQueue: taskQueueOf(request.target.cluster),
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [request],
  });
  try {
    const begun = await client.withDeadline(deadlineAt, () =>
      client.workflow.executeUpdateWithStart<Workflow, Begun, [OperationRequest]>('begin', {
        updateId: request.requestId,
        args: [request],
        startWorkflowOperation: start,
      }),
    );
    return { kind: 'begun', begun };
  } catch (error) {
    const meaning = meaningOf(error);
    if (!meaning) throw error;
    if (meaning.kind === 'uncertain') return { kind: 'not-confirmed' };
    // The running operation ended between its start and this update: nobody took the request, asking again may.
    if (meaning.kind === 'over') return { kind: 'refused', code: 'Ending', words: 'The operation that held this target has just ended.' };
    if (meaning.code === 'Busy' && meaning.details[0]) return { kind: 'busy', view: meaning.details[0] as OperationView };
    return { kind: 'refused', code: meaning.code, words: meaning.words };
  }
}

interface Settling {
  readonly client: Client;
  readonly now: () => number;
  /** Where the operation with this id runs or ran, and how it ended, by the database. */
  readonly lookup: (opId: string) => Promise<Known | undefined>;
}

/**
 * Asks the same question (the same updateId) until it is answered. Bounded by the request's validity and one minute more. A run that has
 * taken the request and is over already does not know the question any more: the database is asked first, or it would be done twice.
 */
export async function settle({ client, now, lookup }: Settling, request: OperationRequest, signal: AbortSignal): Promise<Settled> {
  const opId = request.opId ?? request.recovery?.opId;
  for (let pause = 500; now() < request.validUntil + LAST_WORD_MS; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const taken = opId === undefined ? undefined : await lookup(opId).catch(() => undefined);
    const truth = taken && opId !== undefined ? truthOf(opId, taken, request) : undefined;
    if (truth) return truth;
    const result = await client.withAbortSignal(signal, () => beginOnce(client, request, now() + RETRY_DEADLINE_MS));
    if (signal.aborted) return { kind: 'unknown' };
    if (result.kind !== 'not-confirmed') return truthful(result, request, now());
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return { kind: 'unknown' };
}

/** What the database knows of a request that was taken; undefined while it does not know its run. */
function truthOf(opId: string, { runId, outcome, words }: Known, { recovery }: OperationRequest): Settled | undefined {
  if (outcome !== undefined) return { kind: 'ended', opId, outcome, ...(words !== undefined && { words }) };
  // The run that ends a lost operation goes on under its id: the one that the database knows may be the one that was lost.
  return runId === undefined || recovery ? undefined : { kind: 'begun', begun: { opId, runId, continued: false } };
}
