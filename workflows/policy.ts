import type { OperationRequest, Outcome } from '../src/domain/operation.ts';
import { operate } from './operation.ts';

/** `/policy observe`, `enforce`, `relax` and `bootstrap`: one network policy, by cohorts of pods. Its steps are the activities `policy.*`. */
export async function policy(request: OperationRequest): Promise<Outcome> {
  return operate(request);
}
