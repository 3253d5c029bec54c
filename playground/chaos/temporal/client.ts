import {
  type Client,
  QueryNotRegisteredError,
  type WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, TerminatedFailure, WorkflowNotFoundError } from '@temporalio/common';
import type { WorkflowRun } from './run.ts';
import type { TemporalServer } from './server.ts';
import { RunOver } from './updates.ts';

/** How long the bot waits for Temporal where it does not say (ms). */
const LONGEST_MS = 60_000;

/**
 * Temporal's client over the model of its server: the calls that the product makes, with the errors that the real one throws. Everything
 * else of the class is not there, so a new kind of call fails loudly.
 */
export function createClient(server: TemporalServer, now: () => number): Client {
  const bound: { deadline: number | undefined } = { deadline: undefined };
  const over = (workflowId: string, runId?: string): Error =>
    new WorkflowNotFoundError('workflow execution already completed', workflowId, runId);
  const inTime = <T>(work: Promise<T>): Promise<T> => {
    const { time } = server;
    const leftMs = bound.deadline === undefined ? LONGEST_MS : bound.deadline - now();
    return new Promise<T>((resolve, reject) => {
      const timer = time.after(leftMs, () => reject(new WorkflowUpdateRPCTimeoutOrCancelledError('deadline exceeded')));
      work.then(
        (value) => {
          timer.cancel();
          resolve(value);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error as Error);
        },
      );
    });
  };
  const updated = async (run: WorkflowRun, name: string, { updateId = '', args = [] }: UpdateOptions): Promise<unknown> => {
    try {
      return await run.update(updateId, name, args[0]);
    } catch (error) {
      if (error instanceof RunOver) throw over(run.workflowId, run.runId);
      if (error instanceof ApplicationFailure) throw new WorkflowUpdateFailedError('Workflow Update failed', error);
      throw error;
    }
  };
  const handle = (workflowId: string, runId?: string) => {
    const find = (): WorkflowRun => {
      const run = server.find(workflowId, runId);
      if (!run) throw over(workflowId, runId);
      return run;
    };
    const open = (): WorkflowRun => {
      const run = runId === undefined ? (server.running(workflowId) ?? find()) : find();
      if (!run.isOpen) throw over(workflowId, runId);
      return run;
    };
    return {
      workflowId,
      executeUpdate: (name: string, options: UpdateOptions) => inTime((async () => updated(open(), name, options))()),
      signal: async (name: string, argument: unknown) => void open().signal(name, argument),
      query: (name: string) => inTime(ask(find(), name)),
      describe: async () => described(server, find()),
      terminate: async (reason = '') => open().terminate(reason),
      cancel: async () => open().cancel(''),
      result: async () => resultOf(find()),
    };
  };
  const ask = (run: WorkflowRun, name: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      run.query(name).then((answer) => {
        // Nobody answers: the caller's deadline ends it.
        if (!answer) return;
        if (answer.error !== undefined) reject(new QueryNotRegisteredError(answer.error, 3 as never));
        else resolve(answer.value);
      }, reject);
    });
  const workflow = {
    executeUpdateWithStart: (
      name: string,
      options: UpdateOptions & { readonly startWorkflowOperation: WithStartWorkflowOperation<never> },
    ) => {
      const { workflowTypeOrFunc, options: start } = options.startWorkflowOperation;
      const { workflowId, args } = start as { workflowId: string; args: readonly unknown[] };
      const begin = async (): Promise<unknown> => {
        const run = server.running(workflowId) ?? (await server.start(String(workflowTypeOrFunc), workflowId, args[0]));
        return updated(run, name, options);
      };
      return inTime(begin());
    },
    start: async (type: string, { workflowId, args }: { workflowId: string; args: readonly unknown[] }) => {
      if (server.running(workflowId)) throw new Error('WorkflowExecutionAlreadyStarted');
      const run = await server.start(type, workflowId, args[0]);
      return handle(workflowId, run.runId);
    },
    getHandle: handle,
    list: async function* (options?: { query?: string }) {
      const wanted = statusesIn(options?.query ?? '');
      for (const run of server.runs.toReversed()) if (wanted.length === 0 || wanted.includes(run.status)) yield described(server, run);
    },
  };
  const withDeadline = <T>(at: number | Date, work: () => Promise<T>): Promise<T> => {
    const before = bound.deadline;
    bound.deadline = Number(at);
    try {
      return work();
    } finally {
      bound.deadline = before;
    }
  };
  const client = {
    workflow,
    withDeadline,
    withAbortSignal: <T>(_signal: AbortSignal, work: () => Promise<T>) => work(),
    connection: { workflowService: { getSystemInfo: async () => ({}) } },
  };
  return client as unknown as Client;
}

function resultOf(run: WorkflowRun): unknown {
  if (run.status === 'COMPLETED') return run.result;
  const cause =
    run.status === 'TERMINATED'
      ? new TerminatedFailure(run.reason ?? '')
      : ApplicationFailure.create({ message: run.reason ?? run.status });
  throw new WorkflowFailedError('Workflow execution failed', cause, 'MAXIMUM_ATTEMPTS_REACHED' as never);
}

interface UpdateOptions {
  readonly updateId?: string;
  readonly args?: readonly unknown[];
}

function described({ clock, time }: TemporalServer, run: WorkflowRun) {
  const ahead = clock() - time.now;
  const { workflowId, runId, workflowType, status, startedAt, closedAt, events, bytes } = run;
  return {
    workflowId,
    runId,
    type: workflowType,
    status: { name: status, code: 0 },
    startTime: new Date(startedAt + ahead),
    historyLength: events,
    historySize: bytes,
    ...(closedAt !== undefined && { closeTime: new Date(closedAt + ahead) }),
  };
}

/** The statuses that a visibility query names. */
function statusesIn(query: string): readonly string[] {
  const names: Readonly<Record<string, string>> = {
    Running: 'RUNNING',
    Completed: 'COMPLETED',
    Failed: 'FAILED',
    Canceled: 'CANCELLED',
    Terminated: 'TERMINATED',
    ContinuedAsNew: 'CONTINUED_AS_NEW',
    TimedOut: 'TIMED_OUT',
  };
  return Object.entries(names).flatMap(([word, status]) => (new RegExp(`["']${word}["']`).test(query) ? [status] : []));
}
