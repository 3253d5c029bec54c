import proto from '@temporalio/proto';
import type { Workflow } from '@temporalio/worker/lib/workflow/interface.js';
import { History } from './history.ts';
import { type Failure, msOf, type Packed, pack, sizeOf, timestamp, unpack, unpackFailure } from './payload.ts';
import type { TemporalServer } from './server.ts';
import { ActivityTask, type ScheduleActivity } from './task.ts';
import { RunTimers } from './timers.ts';
import { RunOver, type UpdateResponse, Updates } from './updates.ts';
import { polls } from './worker.ts';

export type RunStatus = 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'CONTINUED_AS_NEW';

export interface RunId {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
}

interface Command {
  readonly kind: string;
  readonly body: Readonly<Record<string, never>>;
}

/** One run of a workflow: its history, what it waits for, and the real code that decides. */
export class WorkflowRun implements RunId {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly argument: unknown;
  readonly startedAt: number;
  status: RunStatus = 'RUNNING';
  closedAt: number | undefined;
  result: unknown;
  /** Why it was terminated. */
  reason: string | undefined;
  readonly #history = new History();
  readonly #server: TemporalServer;
  readonly #workflow: Workflow;
  readonly #updates = new Updates();
  readonly #tasks = new Map<number, ActivityTask>();
  readonly #timers: RunTimers;
  #jobs: object[] = [];
  #scheduled = false;
  #busy = false;
  #onlyUpdates = true;
  /** What the last answer to a query was. */
  #answer: { value?: unknown; error?: string } = {};

  constructor(server: TemporalServer, id: RunId, workflow: Workflow, argument: unknown) {
    this.#server = server;
    this.#workflow = workflow;
    this.#timers = new RunTimers(server.time);
    this.workflowId = id.workflowId;
    this.runId = id.runId;
    this.workflowType = id.workflowType;
    this.argument = argument;
    this.startedAt = server.time.now;
    const payload = this.#packed(argument);
    const start = { workflowId: id.workflowId, workflowType: id.workflowType, startTime: timestamp(server.clock()), attempt: 1 };
    this.#push({ initializeWorkflow: { ...start, arguments: payload ? [payload] : [] } }, 1);
  }

  get events(): number {
    return this.#history.events;
  }

  get bytes(): number {
    return this.#history.bytes;
  }

  get largestPayload(): number {
    return this.#history.largestPayload;
  }

  get isOpen(): boolean {
    return this.status === 'RUNNING';
  }

  /** Settles with the update's result; rejects with its failure, or when the run ends before. The same id is the same update. */
  update(id: string, name: string, argument: unknown): Promise<unknown> {
    const known = this.#updates.known(id);
    if (known) return known;
    if (!this.isOpen) return Promise.reject(new RunOver());
    const answer = this.#updates.sent(id, name, argument);
    const input = this.#packed(argument);
    const job = {
      id,
      protocolInstanceId: id,
      name,
      input: input ? [input] : [],
      runValidator: true,
      meta: { updateId: id, identity: 'chaos' },
    };
    this.#push({ doUpdate: job }, 0, true);
    return answer;
  }

  signal(signalName: string, argument: unknown): boolean {
    if (!this.isOpen) return false;
    this.#server.observer?.signalled(this, signalName, argument);
    const input = this.#packed(argument);
    this.#push({ signalWorkflow: { signalName, input: input ? [input] : [], identity: 'chaos' } }, 1);
    return true;
  }

  cancel(reason: string): void {
    if (this.isOpen) this.#push({ cancelWorkflow: { reason } }, 1);
  }

  /** A query needs a worker that answers, open run or not. Undefined: there is none. */
  async query(queryType: string): Promise<{ value?: unknown; error?: string } | undefined> {
    if (!this.#server.workers.some(polls) || this.status === 'TERMINATED')
      return this.status === 'TERMINATED' ? { error: 'terminated' } : undefined;
    this.#answer = {};
    await this.#activate([{ queryWorkflow: { queryId: 'q', queryType, arguments: [] } }]);
    return this.#answer;
  }

  terminate(reason: string): void {
    if (!this.isOpen) return;
    this.reason = reason;
    this.#close('TERMINATED');
  }

  /** A worker is there again, or is there no more. */
  workersChanged(): void {
    for (const task of this.#tasks.values()) task.reconnected();
    this.#schedule();
  }

  workerLost(): void {
    for (const task of this.#tasks.values()) task.lost();
  }

  #packed(value: unknown): Packed {
    const payload = pack(value);
    this.#count(0, payload);
    return payload;
  }

  #count(events: number, payload?: Packed | null): void {
    this.#history.count(events, payload);
  }

  #push(job: object, events: number, isUpdate = false): void {
    this.#count(events);
    if (!isUpdate) this.#onlyUpdates = false;
    this.#jobs.push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#jobs.length === 0 || !this.isOpen) return;
    const worker = this.#server.workers.find(polls);
    if (!worker) return;
    this.#scheduled = true;
    this.#server.time.in(undefined, () =>
      this.#server.time.after(worker.taskMs, () => {
        this.#scheduled = false;
        void this.#task();
      }),
    );
  }

  /** One workflow task: everything that has come since the last one. */
  async #task(): Promise<void> {
    if (!this.isOpen || this.#jobs.length === 0 || this.#busy || !this.#server.workers.some(polls)) return;
    const jobs = this.#jobs;
    const [before, onlyUpdates] = [this.events, this.#onlyUpdates];
    this.#jobs = [];
    this.#onlyUpdates = true;
    this.#busy = true;
    this.#server.time.wake();
    try {
      await this.#activate(jobs);
    } catch (error) {
      this.#server.broken(this, error);
    } finally {
      this.#busy = false;
    }
    // A task that brings only refused updates leaves nothing in the history.
    if (!onlyUpdates || this.events > before) this.#count(3);
    const { limits } = this.#server;
    if (this.isOpen && (this.events > limits.events || this.bytes > limits.bytes))
      this.terminate('Workflow history size / count exceeds limit.');
    this.#schedule();
  }

  async #activate(jobs: object[]): Promise<void> {
    const activation = {
      runId: this.runId,
      timestamp: timestamp(this.#server.clock()),
      historyLength: this.events,
      historySizeBytes: this.bytes,
      continueAsNewSuggested: this.events > 4_096,
      jobs,
      availableInternalFlags: [1, 2, 3],
      isReplaying: false,
    };
    const completion = await this.#workflow.activate(proto.coresdk.workflow_activation.WorkflowActivation.fromObject(activation));
    await this.#workflow.getAndResetSinkCalls();
    if (completion.failed) throw new Error(`a workflow task failed: ${completion.failed.failure?.message ?? ''}`);
    for (const command of completion.successful?.commands ?? []) {
      const [kind, body] =
        Object.entries(command).find(([key, value]) => value !== null && typeof value === 'object' && key !== 'userMetadata') ?? [];
      if (kind !== undefined) await this.#handle({ kind, body: body as never });
      // A run that the server has ended takes no more commands.
      if (!this.isOpen && this.status === 'TERMINATED') return;
    }
  }

  async #handle({ kind, body }: Command): Promise<void> {
    switch (kind) {
      case 'startTimer':
        return this.#startTimer(body as never);
      case 'cancelTimer':
        this.#count(1);
        return this.#timers.cancel(seqOf(body));
      case 'scheduleActivity':
        return this.#startActivity(body as never);
      case 'requestCancelActivity':
        this.#count(1);
        return this.#tasks.get(seqOf(body))?.cancel();
      case 'setPatchMarker':
        return this.#count(2);
      case 'upsertWorkflowSearchAttributes':
      case 'modifyWorkflowProperties':
        return this.#count(1);
      case 'updateResponse':
        return this.#answerUpdate(body as never);
      case 'respondToQuery':
        return this.#answerQuery(body as never);
      case 'signalExternalWorkflowExecution':
        return this.#signalOther(body as never);
      case 'completeWorkflowExecution':
        this.result = unpack((body as never as { result: Packed }).result);
        return this.#close('COMPLETED');
      case 'failWorkflowExecution':
        this.reason = unpackFailure((body as never as { failure: Failure }).failure).message;
        return this.#close('FAILED');
      case 'cancelWorkflowExecution':
        return this.#close('CANCELLED');
      case 'continueAsNewWorkflowExecution':
        this.#close('CONTINUED_AS_NEW');
        return this.#server.continueAsNew(this, body as never as { arguments?: Packed[]; workflowType?: string });
      default:
        throw new Error(`the model of Temporal does not know the command ${kind}`);
    }
  }

  #startTimer({ seq, startToFireTimeout }: { seq: number; startToFireTimeout: never }): void {
    this.#count(1);
    this.#timers.start(seq, msOf(startToFireTimeout) ?? 0, () => this.#push({ fireTimer: { seq } }, 1));
  }

  #startActivity(command: ScheduleActivity): void {
    const input = command.arguments?.[0];
    this.#count(1, input);
    const { limits, time } = this.#server;
    // The server's answer to a command with such an attribute: the run is terminated (BadScheduleActivityAttributes, blob size limit).
    if (sizeOf(input) > limits.payload) return this.terminate(`ScheduleActivityTaskCommandAttributes.Input exceeds size limit.`);
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
            workflow: this,
            watched: this.#server.observer,
            closed: (result) => {
              this.#tasks.delete(seq);
              if (!this.isOpen) return;
              if ('completed' in result) this.#count(0, result.completed.result);
              this.#push({ resolveActivity: { seq, result } }, 2);
            },
          },
          command,
        ),
    );
    this.#tasks.set(seq, task);
  }

  #answerUpdate(response: UpdateResponse): void {
    if (!this.#updates.has(response.protocolInstanceId)) return;
    if (!response.rejected) this.#count(1, response.completed);
    const answered = this.#updates.answered(response);
    if (answered) this.#server.observer?.updated(this, answered.name, answered.argument, answered.answer);
  }

  #answerQuery(body: { succeeded?: { response?: Packed } | null; failed?: Failure | null }): void {
    this.#answer = body.failed ? { error: body.failed.message ?? 'failed' } : { value: unpack(body.succeeded?.response) };
  }

  #signalOther(body: {
    seq: number;
    workflowExecution?: { workflowId: string; runId?: string };
    signalName: string;
    args?: Packed[];
  }): void {
    this.#count(2);
    const { seq, workflowExecution, signalName, args } = body;
    const other = workflowExecution && this.#server.find(workflowExecution.workflowId, workflowExecution.runId || undefined);
    const sent = other?.signal(signalName, unpack(args?.[0])) ?? false;
    const gone = { message: 'not found', applicationFailureInfo: { type: 'NotFound', nonRetryable: true } };
    this.#push({ resolveSignalExternalWorkflow: { seq, ...(!sent && { failure: gone }) } }, 1);
  }

  #close(status: RunStatus): void {
    this.#count(1);
    this.status = status;
    this.closedAt = this.#server.time.now;
    this.#timers.close();
    for (const task of this.#tasks.values()) task.forget();
    this.#updates.close();
    this.#server.observer?.closed(this);
  }

  dispose(): Promise<void> {
    return this.#workflow.dispose();
  }
}

function seqOf(body: Readonly<Record<string, never>>): number {
  return Number(body['seq'] ?? 0);
}
