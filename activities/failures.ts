import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { ClusterFailure, type FailureReason } from '../src/clients/kubernetes/failure.ts';

/** Trying again does not help: the request is wrong, or a right is missing. */
const HOPELESS: readonly FailureReason[] = ['Forbidden', 'Unauthorized', 'Invalid', 'BadRequest'];

/** Attempts of what is not tried for ever. */
const MOST_ATTEMPTS = 4;

/** The database does not answer. What asked it is tried again until it does: an outage fails no operation. */
class DatabaseAway extends Error {
  override readonly name = 'DatabaseAway' as const;
}

/** Slack does not say who somebody is now. Who makes a change is not guessed: it is asked until there is an answer. */
export class SlackAway extends Error {
  override readonly name = 'SlackAway' as const;
}

/** Every failure of the methods of `source` is the database's. */
export function asDatabase<T extends object>(source: T): T {
  return new Proxy(source, {
    get: (target, name, receiver): unknown => {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, parameters);
        return result instanceof Promise ? result.catch((error: unknown) => Promise.reject(away(error))) : result;
      };
    },
  });
}

function away(cause: unknown): DatabaseAway {
  return new DatabaseAway(`the database does not answer (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
}

/**
 * The one place where errors become what Temporal acts on. `persistent`: an undo, which is tried for as long as anybody could
 * care, since the missing right may be given back. `impatient`: given up at the fourth failure, unless it is the database or Slack that is away. An abort by Temporal is told as Temporal's own cancellation.
 */
export function mapped<Input, Output>(
  activity: (input: Input) => Promise<Output>,
  options: { readonly persistent?: boolean; readonly impatient?: boolean } = {},
): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      const { cancellationSignal, cancelled } = Context.current();
      if (cancellationSignal.aborted && !(error instanceof CancelledFailure)) await cancelled;
      const failure = failureOf(error, options.persistent ?? false);
      const isLast = options.impatient && Context.current().info.attempt >= MOST_ATTEMPTS;
      const isAway = error instanceof DatabaseAway || error instanceof SlackAway;
      throw isLast && !isAway ? final(failure) : failure;
    }
  };
}

function final(failure: unknown): unknown {
  if (failure instanceof TemporalFailure && !(failure instanceof ApplicationFailure)) return failure;
  const { message, type } =
    failure instanceof ApplicationFailure
      ? failure
      : { message: failure instanceof Error ? failure.message : String(failure), type: 'Failed' };
  return ApplicationFailure.create({
    message,
    type: type ?? 'Failed',
    nonRetryable: true,
    ...(failure instanceof Error && { cause: failure }),
  });
}

function failureOf(error: unknown, persistent: boolean): unknown {
  if (error instanceof TemporalFailure) return error;
  if (error instanceof ClusterFailure) {
    const nonRetryable = !persistent && HOPELESS.includes(error.reason);
    return ApplicationFailure.create({ type: `Cluster${error.reason}`, message: error.message, nonRetryable, cause: error });
  }
  return error;
}
