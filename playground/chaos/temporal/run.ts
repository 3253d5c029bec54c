import proto from '@temporalio/proto';
import type { Workflow } from '@temporalio/worker/lib/workflow/interface.js';
import { Commands } from './commands.ts';
import { History } from './history.ts';
import { type Packed, pack, timestamp } from './payload.ts';
import type { TemporalServer } from './server.ts';
import { RunOver } from './updates.ts';
import { polls } from './worker.ts';

export type RunStatus = 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TERMINATED' | 'CONTINUED_AS_NEW';

export interface RunId {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
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
  readonly #commands: Commands;
  #jobs: object[] = [];
  #scheduled = false;
  #busy = false;
  #onlyUpdates = true;

  constructor(server: TemporalServer, id: RunId, workflow: Workflow, argument: unknown) {
    this.#server = server;
    this.#workflow = workflow;
    this.#commands = new Commands(server, this);
    this.workflowId = id.workflowId;
    this.runId = id.runId;
    this.workflowType = id.workflowType;
    this.argument = argument;
    this.startedAt = server.time.now;
    const payload = this.#packed(argument);
    const start = { workflowId: id.workflowId, workflowType: id.workflowType, startTime: timestamp(server.clock()), attempt: 1 };
    this.push({ initializeWorkflow: { ...start, arguments: payload ? [payload] : [] } }, 1);
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
    const known = this.#commands.updates.known(id);
    if (known) return known;
    if (!this.isOpen) return Promise.reject(new RunOver());
    const answer = this.#commands.updates.sent(id, name, argument);
    const input = this.#packed(argument);
    const job = {
      id,
      protocolInstanceId: id,
      name,
      input: input ? [input] : [],
      runValidator: true,
      meta: { updateId: id, identity: 'chaos' },
    };
    this.push({ doUpdate: job }, 0, true);
    return answer;
  }

  signal(signalName: string, argument: unknown): boolean {
    if (!this.isOpen) return false;
    this.#server.observer?.signalled(this, signalName, argument);
    const input = this.#packed(argument);
    this.push({ signalWorkflow: { signalName, input: input ? [input] : [], identity: 'chaos' } }, 1);
    return true;
  }

  cancel(reason: string): void {
    if (this.isOpen) this.push({ cancelWorkflow: { reason } }, 1);
  }

  /** A query needs a worker that answers, open run or not. Undefined: there is none. */
  async query(queryType: string): Promise<{ value?: unknown; error?: string } | undefined> {
    if (!this.#server.workers.some(polls) || this.status === 'TERMINATED')
      return this.status === 'TERMINATED' ? { error: 'terminated' } : undefined;
    this.#commands.answer = {};
    await this.#activate([{ queryWorkflow: { queryId: 'q', queryType, arguments: [] } }]);
    return this.#commands.answer;
  }

  terminate(reason: string): void {
    if (!this.isOpen) return;
    this.reason = reason;
    this.close('TERMINATED');
  }

  /** A worker is there again, or is there no more. */
  workersChanged(): void {
    this.#commands.workersChanged();
    this.#schedule();
  }

  workerLost(): void {
    this.#commands.workerLost();
  }

  #packed(value: unknown): Packed {
    const payload = pack(value);
    this.count(0, payload);
    return payload;
  }

  /** So many events more, and a payload. */
  count(events: number, payload?: Packed | null): void {
    this.#history.count(events, payload);
  }

  /** Something that its next task begins with. */
  push(job: object, events: number, isUpdate = false): void {
    this.count(events);
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
    if (!onlyUpdates || this.events > before) this.count(3);
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
      if (kind !== undefined) await this.#commands.handle({ kind, body: body as never });
      // A run that the server has ended takes no more commands.
      if (!this.isOpen && this.status === 'TERMINATED') return;
    }
  }

  /** It ends in this way. */
  close(status: RunStatus, { result, reason }: { readonly result?: unknown; readonly reason?: string } = {}): void {
    this.count(1);
    this.status = status;
    this.result = result;
    this.reason ??= reason;
    this.closedAt = this.#server.time.now;
    this.#commands.close();
    this.#server.observer?.closed(this);
  }

  dispose(): Promise<void> {
    return this.#workflow.dispose();
  }
}
