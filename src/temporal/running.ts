// Which operations run, from Temporal's own list.
import type { Client } from '@temporalio/client';
import { meaningOf } from './errors.ts';
import type { Described, OperationAt, RunningAt } from './results.ts';

const FIND_MS = 2_000;
const RUNS_MS = 8_000;
const MOST_LISTED = 200;
const ALL = Number.POSITIVE_INFINITY;
const AT_ONCE = 16;

export async function running(client: Client, workflowId: string, deadline: number): Promise<RunningAt | undefined> {
  try {
    const { status, runId, type: verb } = await client.withDeadline(deadline, () => client.workflow.getHandle(workflowId).describe());
    return status.name === 'RUNNING' ? { workflowId, runId, verb } : undefined;
  } catch (error) {
    if (meaningOf(error)?.kind === 'over') return undefined;
    throw error;
  }
}

/** Newest first. Beyond `most` none is listed: right for people to read, wrong for whoever must know of all. */
export async function listRunning(client: Client, deadline: number, most = MOST_LISTED): Promise<readonly OperationAt[]> {
  const found: OperationAt[] = [];
  await client.withDeadline(deadline, async () => {
    for await (const run of client.workflow.list({ query: 'WorkflowId STARTS_WITH "mesh/" AND ExecutionStatus = "Running"' })) {
      found.push({ workflowId: run.workflowId, runId: run.runId });
      if (found.length >= most) break;
    }
  });
  return found;
}

/** For the short time in which an operation runs and the database does not know it yet. */
export async function findRunning(
  client: Client,
  opId: string,
  now: () => number,
  describe: (at: OperationAt) => Promise<Described>,
): Promise<OperationAt | undefined> {
  const until = now() + FIND_MS;
  for (const at of await listRunning(client, until, ALL)) {
    if (now() >= until) return undefined;
    const answer = await describe(at);
    if (answer.kind === 'view' && answer.view.opId === opId) return at;
  }
  return undefined;
}

/** No answer in time is no answer: who asks must not take an operation for unknown because there are many. */
export async function runs(
  client: Client,
  opId: string,
  now: () => number,
  describe: (at: OperationAt) => Promise<Described>,
): Promise<boolean> {
  const until = now() + RUNS_MS;
  const all = await listRunning(client, until, ALL);
  for (let start = 0; start < all.length; start += AT_ONCE) {
    if (now() >= until) throw new Error('too many operations run to say in time whether one of them has this id');
    const answers = await Promise.all(all.slice(start, start + AT_ONCE).map(describe));
    if (answers.some((answer) => answer.kind === 'view' && answer.view.opId === opId)) return true;
    if (answers.some(({ kind }) => kind === 'silent')) throw new Error('an operation runs that no worker answers for');
  }
  return false;
}
