import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Actor } from '../src/domain/lifecycle/actor.ts';
import type { Decision } from '../src/domain/lifecycle/gate.ts';
import type { Begun, OperationRequest, OperationView } from '../src/domain/lifecycle/operation.ts';

/**
 * Starts the operation (sent together with the start), or hands a running one its next step.
 * Refusals are ApplicationFailures whose `type` is a code: `Busy` (details[0] is the running operation's view), `RequestExpired`, `Ending`.
 */
export const begin = defineUpdate<Begun, [OperationRequest]>('begin');

/** One person's decision at the open gate. Refusals carry a `DecisionRefusal` as `type`. */
export const decide = defineUpdate<{ readonly remaining: number }, [Decision]>('decide');

/** What an abort says. `rollback`: it came as a rollback, and ends as one; an operation that is a way back itself goes on. */
export interface AbortBy {
  readonly actor: Actor;
  readonly reason?: string;
  readonly rollback?: true;
}

/** Stop and put everything back. A signal, so that it is kept while no worker runs. */
export const abort = defineSignal<[AbortBy]>('abort');

/**
 * One of two people who give up an undo that keeps failing: the operation ends as `abandoned` and holds nothing any more.
 * Refusals: `NotReleasable`, `SelfApproval`, `NotAnApprover`, `AlreadyDecided`.
 */
export const release = defineUpdate<{ readonly remaining: number }, [{ readonly actor: Actor; readonly reason?: string }]>('release');

export const describe = defineQuery<OperationView>('describe');
