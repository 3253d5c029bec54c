import { type Failure, msOf, type Packed, sizeOf, unpack, unpackFailure } from './payload.ts';
import type { WorkflowRun } from './run.ts';
import type { TemporalServer } from './server.ts';
import { ActivityTask, type ScheduleActivity } from './task.ts';
import { RunTimers } from './timers.ts';
import { type UpdateResponse, Updates } from './updates.ts';

/** One command of a workflow task, as the SDK's core names them. */
export interface Command {
  readonly kind: string;
  readonly body: Readonly<Record<string, never>>;
}

/** What one run has asked for and waits for: activities, timers, answers to updates and queries. */
export class Commands {
  readonly #server: TemporalServer;
  readonly #run: WorkflowRun;
  readonly #tasks = new Map<number, ActivityTask>();
  readonly #timers: RunTimers;
  readonly updates = new Updates();
  /** What the last answer to a query was. */
  answer: { value?: unknown; error?: string } = {};

  constructor(server: TemporalServer, run: WorkflowRun) {
    this.#server = server;
    this.#run = run;
    this.#timers = new RunTimers(server.time);
  }

  /** A worker is there again. */
  workersChanged(): void {
    for (const task of this.#tasks.values()) task.reconnected();
  }

  workerLost(): void {
    for (const task of this.#tasks.values()) task.lost();
  }

  /** The run has ended: nobody waits for anything any more. */
  close(): void {
    this.#timers.close();
    for (const task of this.#tasks.values()) task.forget();
    this.updates.close();
  }

  /** Does what the workflow asks for. */
  async handle({ kind, body }: Command): Promise<void> {
    switch (kind) {
      case 'startTimer':
        return this.#startTimer(body as never);
      case 'cancelTimer':
        this.#run.count(1);
        return this.#timers.cancel(seqOf(body));
      case 'scheduleActivity':
        return this.#startActivity(body as never);
      case 'requestCancelActivity':
        this.#run.count(1);
        return this.#tasks.get(seqOf(body))?.cancel();
      case 'setPatchMarker':
        return this.#run.count(2);
      case 'upsertWorkflowSearchAttributes':
      case 'modifyWorkflowProperties':
        return this.#run.count(1);
      case 'updateResponse':
        return this.#answerUpdate(body as never);
      case 'respondToQuery':
        return this.#answerQuery(body as never);
      case 'signalExternalWorkflowExecution':
        return this.#signalOther(body as never);
      case 'completeWorkflowExecution':
        return this.#run.close('COMPLETED', { result: unpack((body as never as { result: Packed }).result) });
      case 'failWorkflowExecution':
        return this.#run.close('FAILED', { reason: unpackFailure((body as never as { failure: Failure }).failure).message });
      case 'cancelWorkflowExecution':
        return this.#run.close('CANCELLED');
      case 'continueAsNewWorkflowExecution':
        this.#run.close('CONTINUED_AS_NEW');
        return this.#server.continueAsNew(this.#run, body as never as { arguments?: Packed[]; workflowType?: string });
      default:
        throw new Error(`the model of Temporal does not know the command ${kind}`);
    }
  }

  #startTimer({ seq, startToFireTimeout }: { seq: number; startToFireTimeout: never }): void {
    this.#run.count(1);
    this.#timers.start(seq, msOf(startToFireTimeout) ?? 0, () => this.#run.push({ fireTimer: { seq } }, 1));
  }

  #startActivity(command: ScheduleActivity): void {
    const input = command.arguments?.[0];
    this.#run.count(1, input);
    const { limits, time } = this.#server;
    // The server's answer to a command with such an attribute: the run is terminated (BadScheduleActivityAttributes, blob size limit).
    if (sizeOf(input) > limits.payload) return this.#run.terminate(`ScheduleActivityTaskCommandAttributes.Input exceeds size limit.`);
    const { seq } = command;
    const task = time.in(
      undefined,
      () =>
        new ActivityTask(
          {
            time,
            workers: () => this.#server.workers,
            choose: (workers) => this.#server.choose(workers),
            payloadLimit: limits.payload,
            workflow: this.#run,
            watched: this.#server.observer,
            closed: (result) => {
              this.#tasks.delete(seq);
              if (!this.#run.isOpen) return;
              if ('completed' in result) this.#run.count(0, result.completed.result);
              this.#run.push({ resolveActivity: { seq, result } }, 2);
            },
          },
          command,
        ),
    );
    this.#tasks.set(seq, task);
  }

  #answerUpdate(response: UpdateResponse): void {
    if (!this.updates.has(response.protocolInstanceId)) return;
    if (!response.rejected) this.#run.count(1, response.completed);
    const answered = this.updates.answered(response);
    if (answered) this.#server.observer?.updated(this.#run, answered.name, answered.argument, answered.answer);
  }

  #answerQuery(body: { succeeded?: { response?: Packed } | null; failed?: Failure | null }): void {
    this.answer = body.failed ? { error: body.failed.message ?? 'failed' } : { value: unpack(body.succeeded?.response) };
  }

  #signalOther(body: {
    seq: number;
    workflowExecution?: { workflowId: string; runId?: string };
    signalName: string;
    args?: Packed[];
  }): void {
    this.#run.count(2);
    const { seq, workflowExecution, signalName, args } = body;
    const other = workflowExecution && this.#server.find(workflowExecution.workflowId, workflowExecution.runId || undefined);
    const sent = other?.signal(signalName, unpack(args?.[0])) ?? false;
    const gone = { message: 'not found', applicationFailureInfo: { type: 'NotFound', nonRetryable: true } };
    this.#run.push({ resolveSignalExternalWorkflow: { seq, ...(!sent && { failure: gone }) } }, 1);
  }
}

function seqOf(body: Readonly<Record<string, never>>): number {
  return Number(body['seq'] ?? 0);
}
