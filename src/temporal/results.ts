import type { Actor } from '../domain/lifecycle/actor.ts';
import type { Begun, OperationView } from '../domain/lifecycle/operation.ts';

/** What came of a request. */
export type BeginResult =
  | { readonly kind: 'begun'; readonly begun: Begun }
  /** The target is taken: what runs there. */
  | { readonly kind: 'busy'; readonly view: OperationView }
  | { readonly kind: 'refused'; readonly code: string; readonly words: string }
  /** Nobody answered in time: the operation may be running. */
  | { readonly kind: 'not-confirmed' };

/** The truth about a request that was not confirmed, told later. */
export type Settled =
  | Exclude<BeginResult, { kind: 'not-confirmed' }>
  /** Its operation was over before anybody could be told that it began. `words`: the sentence of its outcome. */
  | { readonly kind: 'ended'; readonly opId: string; readonly outcome: string; readonly words?: string }
  /** It could not be learned in time, or we are stopping. */
  | { readonly kind: 'unknown' };

export type DecideResult =
  | { readonly kind: 'accepted'; readonly remaining: number }
  /** `view`: what is true now, so that a message which invited the wrong click can be mended. */
  | { readonly kind: 'refused'; readonly code: string; readonly words: string; readonly view?: OperationView }
  | { readonly kind: 'over' }
  /** Safe to press again: the same decision counts once. */
  | { readonly kind: 'not-confirmed' };

export type AbortResult = { readonly kind: 'sent' } | { readonly kind: 'over' } | { readonly kind: 'not-confirmed' };

/** `silent`: the workflow is there, but no worker answered for it. */
export type Described = { readonly kind: 'view'; readonly view: OperationView } | { readonly kind: 'gone' } | { readonly kind: 'silent' };

export type ReleaseResult =
  | { readonly kind: 'accepted'; readonly remaining: number }
  | { readonly kind: 'refused'; readonly code: string; readonly words: string }
  | { readonly kind: 'over' }
  | { readonly kind: 'not-confirmed' };

export interface OperationAt {
  readonly workflowId: string;
  /** The newest run when left out. */
  readonly runId?: string;
}

/** Where an operation runs or ran, and its outcome where that is on record. */
export interface Known extends OperationAt {
  /** OutcomeKind, when it is over. */
  readonly outcome?: string;
  readonly words?: string;
}

/** The run that holds a target now. */
export interface RunningAt extends OperationAt {
  readonly runId: string;
  /** Its workflow's type. */
  readonly verb: string;
}

export interface AbortBy {
  readonly actor: Actor;
  readonly reason?: string;
  /** It came as a rollback: the operation ends as rolled back, and a way back goes on. */
  readonly rollback?: true;
}
