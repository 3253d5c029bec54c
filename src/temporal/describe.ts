import type { Client } from '@temporalio/client';
import type { OperationView } from '../domain/operation.ts';

/** An edit of a message is not worth waiting longer (ms). */
const WITHIN_MS = 2_000;

/** What an operation shows at this moment, by its own word; undefined when it cannot be asked now. */
export function createDescribe(client: Client): (at: Pick<OperationView, 'workflowId' | 'runId'>) => Promise<OperationView | undefined> {
  return async ({ workflowId, runId }) => {
    try {
      const handle = client.workflow.getHandle(workflowId, runId);
      return await client.withDeadline(Date.now() + WITHIN_MS, () => handle.query<OperationView>('describe'));
    } catch {
      // Whatever the reason, the caller goes by what it knows.
      return undefined;
    }
  };
}
