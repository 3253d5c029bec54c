import { type Client, WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import type { HowLost, OperationView, Outcome } from '../domain/lifecycle/operation.ts';
import { meaningOf } from './errors.ts';
import type { Described, OperationAt } from './results.ts';

/** What became of the run of an operation that has no outcome on record. */
export type Fate =
  | { readonly kind: 'runs' }
  /** It came to its end; only the record of that is missing. */
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  /** The server closed it, or does not know it. `seen`: its last state, where the server still has its history. */
  | { readonly kind: 'lost'; readonly how: HowLost; readonly seen?: OperationView };

/**
 * Asks the Temporal server. Throws when it does not answer: an operation is lost only when the server says so. A run that goes on under
 * another run id (it continues as new) is known by its own words.
 */
export async function fateOf(
  client: Client,
  at: OperationAt & { readonly opId: string },
  deadline: number,
  describe: (at: OperationAt) => Promise<Described>,
): Promise<Fate> {
  const own = await statusOf(client, at, deadline);
  if (own.name === 'RUNNING') return { kind: 'runs' };
  const newest = await statusOf(client, { workflowId: at.workflowId }, deadline);
  if (newest.name === 'RUNNING') {
    const answer = await describe({ workflowId: at.workflowId });
    // No run id on record, or one that went on as another: what runs now may be it, unless it says that it is not.
    const mayBeIt = at.runId === undefined || own.name === 'CONTINUED_AS_NEW';
    if (answer.kind === 'view' ? answer.view.opId === at.opId : mayBeIt) return { kind: 'runs' };
  }
  if (own.name === undefined) return { kind: 'lost', how: 'deleted' };
  const described = await describe({ workflowId: at.workflowId, ...(own.runId !== undefined && { runId: own.runId }) });
  const seen = described.kind === 'view' && described.view.opId === at.opId ? { seen: described.view } : {};
  try {
    const handle = client.workflow.getHandle(at.workflowId, own.runId);
    const outcome = await client.withDeadline(deadline, () => handle.result());
    return { kind: 'ended', outcome: outcome as Outcome };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { kind: 'lost', how: howOf(error.cause), ...seen };
  }
}

function howOf(cause: unknown): HowLost {
  if (cause instanceof TerminatedFailure) return 'terminated';
  if (cause instanceof TimeoutFailure) return 'timed out';
  return cause instanceof CancelledFailure ? 'cancelled' : 'failed';
}

async function statusOf(client: Client, at: OperationAt, deadline: number): Promise<{ readonly name?: string; readonly runId?: string }> {
  try {
    const { status, runId } = await client.withDeadline(deadline, () => client.workflow.getHandle(at.workflowId, at.runId).describe());
    return { name: status.name, runId };
  } catch (error) {
    if (meaningOf(error)?.kind === 'over') return {};
    throw error;
  }
}
