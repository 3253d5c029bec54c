import type { OperationRequest, Outcome } from '../src/domain/operation.ts';
import { operate } from './operation.ts';

/** `/mesh canary`, `promote` and `rollback`: the weights of a Service's routes. Its steps are the activities `canary.*`. */
export async function canary(request: OperationRequest): Promise<Outcome> {
  return operate(request);
}
