import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { ClusterFailure, type FailureReason } from './clients/kubernetes/failure.ts';

/** Trying again does not help: the request is wrong, or a right is missing. */
const HOPELESS: readonly FailureReason[] = ['Forbidden', 'Unauthorized', 'Invalid', 'BadRequest'];

/**
 * The one place where errors become what Temporal acts on. `persistent`: an undo, which is tried for as long as anybody could
 * care, since the missing right may be given back. An abort by Temporal is told as Temporal's own cancellation.
 */
export function mapped<Input, Output>(
  activity: (input: Input) => Promise<Output>,
  options: { readonly persistent?: boolean } = {},
): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      const { cancellationSignal, cancelled } = Context.current();
      if (cancellationSignal.aborted && !(error instanceof CancelledFailure)) await cancelled;
      throw failureOf(error, options.persistent ?? false);
    }
  };
}

function failureOf(error: unknown, persistent: boolean): unknown {
  if (error instanceof TemporalFailure) return error;
  if (error instanceof ClusterFailure) {
    const nonRetryable = !persistent && HOPELESS.includes(error.reason);
    return ApplicationFailure.create({ type: `Cluster${error.reason}`, message: error.message, nonRetryable, cause: error });
  }
  return error;
}
