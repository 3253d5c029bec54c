import type { Client } from '@temporalio/client';
import type { OperationView } from '../domain/lifecycle/operation.ts';

/** An edit of a message is not worth waiting longer (ms). */
const WITHIN_MS = 2_000;

/** How a run closes that did not come to its own end: it still answers queries, with the state of before. */
const LOST: ReadonlySet<string> = new Set(['TERMINATED', 'TIMED_OUT', 'FAILED', 'CANCELLED']);

/** What an operation shows at this moment, by its own word; undefined when it cannot be asked now, or when its run is lost. */
export function createDescribe(
  client: Client,
  now: () => number,
): (at: Pick<OperationView, 'workflowId' | 'runId'>) => Promise<OperationView | undefined> {
  return async ({ workflowId, runId }) => {
    try {
      const handle = client.workflow.getHandle(workflowId, runId);
      const [view, { status }] = await client.withDeadline(now() + WITHIN_MS, () =>
        Promise.all([handle.query<OperationView>('describe'), handle.describe()]),
      );
      return LOST.has(status.name) ? undefined : view;
    } catch {
      // Whatever the reason, the caller goes by what it knows.
      return undefined;
    }
  };
}
