import type { Client } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import type { OperationView } from '../domain/lifecycle/operation.ts';

/** Whoever waits for it says something else instead. Milliseconds. */
const WITHIN_MS = 1_000;

/** Why the undo that is tried again and again has failed last, in the words of whoever refused it; undefined where nobody can say. */
export function createLastFailure(
  client: Client,
  now: () => number,
): (at: Pick<OperationView, 'workflowId' | 'runId'>) => Promise<string | undefined> {
  return async ({ workflowId, runId }) => {
    try {
      const { raw } = await client.withDeadline(now() + WITHIN_MS, () => client.workflow.getHandle(workflowId, runId).describe());
      const restoring = raw.pendingActivities?.find(({ activityType }) => activityType?.name?.endsWith('.restore'));
      const failure = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, restoring?.lastFailure);
      return failure?.message;
    } catch {
      // The note is more urgent than its reason.
      return undefined;
    }
  };
}
