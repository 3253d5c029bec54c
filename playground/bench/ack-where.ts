import type { Client } from '@temporalio/client';
import type { JsonObject } from '../../src/domain/json.ts';
import { quantiles } from './quantiles.ts';

/** At most so many histories are read: it is about where time goes, not about each command. */
const MOST = 60;

interface Step {
  /** Written by the server until a worker was handed the first task. */
  readonly queuedMs: number;
  /** The worker's own part and the way there and back, until the server had written what came of it. */
  readonly workedMs: number;
  readonly activities: number;
  readonly events: number;
}

/**
 * Where the time of a start goes, by the histories of the newest runs: waiting for a worker, or in it. What is left of an acknowledgement is the
 * server's own writing, and the bot.
 */
export async function whereTimeGoes(client: Client): Promise<JsonObject> {
  const steps: Step[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query: 'WorkflowId STARTS_WITH "mesh/"' })) {
    if (steps.length === MOST) break;
    const { events = [] } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const step = stepOf(events ?? []);
    if (step) steps.push(step);
  }
  return {
    runs: steps.length,
    queuedMs: quantiles(steps.map(({ queuedMs }) => queuedMs)),
    workedMs: quantiles(steps.map(({ workedMs }) => workedMs)),
    activities: quantiles(steps.map(({ activities }) => activities)),
    events: quantiles(steps.map(({ events }) => events)),
  };
}

type Events = NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']>;

function stepOf(events: Events): Step | undefined {
  const at = (has: (event: Events[number]) => unknown): number | undefined => {
    const time = events.find((event) => has(event))?.eventTime;
    return time ? Number(time.seconds ?? 0) * 1_000 + (time.nanos ?? 0) / 1e6 : undefined;
  };
  const scheduled = at((event) => event.workflowExecutionStartedEventAttributes);
  const started = at((event) => event.workflowTaskStartedEventAttributes);
  const completed = at((event) => event.workflowTaskCompletedEventAttributes);
  if (scheduled === undefined || started === undefined || completed === undefined) return undefined;
  const activities = events.filter((event) => event.activityTaskScheduledEventAttributes).length;
  return { queuedMs: started - scheduled, workedMs: completed - started, activities, events: events.length };
}
