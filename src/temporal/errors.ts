// What Temporal's client throws, sorted into what it means for the person who asked.
import { isGrpcServiceError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';

/** gRPC codes after which the call may or may not have had its effect (grpc/grpc doc/statuscodes.md). */
const UNCERTAIN: ReadonlySet<number> = new Set([
  1, // CANCELLED
  2, // UNKNOWN
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  10, // ABORTED
  13, // INTERNAL
  14, // UNAVAILABLE
]);

type Meaning =
  | { readonly kind: 'refused'; readonly code: string; readonly words: string; readonly details: readonly unknown[] }
  | { readonly kind: 'over' }
  | { readonly kind: 'uncertain' };

/** What an error means, or undefined when it is nothing that a caller can expect (a wrong argument, a defect). */
export function meaningOf(error: unknown): Meaning | undefined {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return { kind: 'uncertain' };
  if (error instanceof WorkflowNotFoundError) return { kind: 'over' };
  if (error instanceof WorkflowUpdateFailedError) {
    const { cause } = error;
    if (!(cause instanceof ApplicationFailure))
      return { kind: 'refused', code: 'Failed', words: cause?.message ?? error.message, details: [] };
    // An update that its workflow left behind by ending: it was accepted by nobody.
    if (cause.type === 'AcceptedUpdateCompletedWorkflow') return { kind: 'over' };
    return { kind: 'refused', code: cause.type ?? 'Failed', words: cause.message, details: cause.details ?? [] };
  }
  const status = grpcStatusOf(error);
  return status !== undefined && UNCERTAIN.has(status) ? { kind: 'uncertain' } : undefined;
}

function grpcStatusOf(error: unknown): number | undefined {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) {
    if (isGrpcServiceError(one)) return one.code;
  }
  return undefined;
}
