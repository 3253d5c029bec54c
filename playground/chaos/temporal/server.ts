import type { VirtualTime } from '../virtual-time.ts';
import type { AttemptObserver } from './attempt.ts';
import { type Limits, TEMPORAL_LIMITS } from './limits.ts';
import { type Failure, type Packed, unpack } from './payload.ts';
import { WorkflowRun } from './run.ts';
import { createWorkflow } from './vm.ts';
import { polls, type WorkerProcess } from './worker.ts';

/** Who looks on: the invariants. */
export interface ServerObserver extends AttemptObserver {
  started(run: WorkflowRun): void;
  closed(run: WorkflowRun): void;
  signalled(run: WorkflowRun, name: string, argument: unknown): void;
  updated(run: WorkflowRun, name: string, argument: unknown, answer: { readonly result: unknown } | { readonly refused: Failure }): void;
  /** A workflow task that cannot be done is repeated for ever: the run stands still. */
  broken(run: WorkflowRun, error: unknown): void;
}

export interface ServerDeps {
  readonly time: VirtualTime;
  /** What time the server believes it is (epoch ms). */
  readonly clock: () => number;
  /** Another number each time, the same in every run of one seed. */
  readonly seed: () => number;
  readonly choose: (workers: readonly WorkerProcess[]) => WorkerProcess;
  readonly limits?: Partial<Limits>;
}

/** Temporal as far as the product uses it: runs by id, one at a time; updates, signals, queries; activities on workers; its limits. */
export class TemporalServer {
  readonly time: VirtualTime;
  readonly clock: () => number;
  readonly limits: Limits;
  readonly choose: ServerDeps['choose'];
  readonly workers: WorkerProcess[] = [];
  readonly runs: WorkflowRun[] = [];
  observer: ServerObserver | undefined;
  /** Since when at least one worker is there all the time (epoch ms); undefined while there is none. */
  #workedSince: number | undefined;
  readonly #seed: () => number;
  #ids = 0;

  constructor(deps: ServerDeps) {
    this.time = deps.time;
    this.clock = deps.clock;
    this.choose = deps.choose;
    this.#seed = deps.seed;
    this.limits = { ...TEMPORAL_LIMITS, ...deps.limits };
  }

  /** The run with this id; without one, the newest. */
  find(workflowId: string, runId?: string): WorkflowRun | undefined {
    return this.runs.findLast((run) => run.workflowId === workflowId && (runId === undefined || run.runId === runId));
  }

  running(workflowId: string): WorkflowRun | undefined {
    return this.runs.findLast((run) => run.workflowId === workflowId && run.isOpen);
  }

  async start(workflowType: string, workflowId: string, argument: unknown, firstRunId?: string): Promise<WorkflowRun> {
    const runId = `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`;
    const id = { workflowId, workflowType, runId };
    // The start is the server's at once; the code comes when it is loaded, which takes no time of the model.
    const workflow = await createWorkflow({ ...id, firstRunId: firstRunId ?? runId, now: this.clock(), seed: this.#seed() });
    const run = new WorkflowRun(this, id, workflow, argument);
    this.runs.push(run);
    this.observer?.started(run);
    return run;
  }

  async continueAsNew(run: WorkflowRun, body: { arguments?: Packed[]; workflowType?: string }): Promise<void> {
    await this.start(body.workflowType || run.workflowType, run.workflowId, unpack(body.arguments?.[0]), run.runId);
  }

  /** A worker process comes up. */
  join(worker: WorkerProcess): void {
    this.workers.push(worker);
    this.changed();
  }

  /** It is killed: everything in it ends at this moment. */
  kill(worker: WorkerProcess): void {
    worker.alive = false;
    const at = this.workers.indexOf(worker);
    if (at >= 0) this.workers.splice(at, 1);
    this.#count();
    for (const run of this.runs) if (run.isOpen) run.workerLost();
  }

  disconnect(worker: WorkerProcess): void {
    worker.connected = false;
    this.#count();
    for (const run of this.runs) if (run.isOpen) run.workerLost();
  }

  reconnect(worker: WorkerProcess): void {
    worker.connected = true;
    this.changed();
  }

  /** Has at least one worker been there for so long (ms)? */
  workedFor(ms: number): boolean {
    return this.#workedSince !== undefined && this.time.now - this.#workedSince >= ms;
  }

  #count(): void {
    if (!this.workers.some(polls)) this.#workedSince = undefined;
    else this.#workedSince ??= this.time.now;
  }

  changed(): void {
    this.#count();
    for (const run of this.runs) if (run.isOpen) run.workersChanged();
  }

  broken(run: WorkflowRun, error: unknown): void {
    this.observer?.broken(run, error);
  }

  async dispose(): Promise<void> {
    for (const run of this.runs) await run.dispose();
  }
}
