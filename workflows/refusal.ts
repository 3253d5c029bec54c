import { ApplicationFailure } from '@temporalio/workflow';
import type { OperationView } from '../src/domain/lifecycle/operation.ts';

/** Why an update is refused, as a code; with what runs, where that helps whoever is refused. */
export function refusal(code: string, view?: OperationView): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message: code, nonRetryable: true, ...(view && { details: [view] }) });
}
