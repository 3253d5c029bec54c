import { CancelledFailure, ensureApplicationFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { VirtualTime } from '../virtual-time.ts';
import { type AttemptObserver, beginAttempt, type RunningAttempt } from './attempt.ts';
import { type Failure, msOf, type Packed, pack, packFailure, sizeOf, unpack } from './payload.ts';
import { polls, type WorkerProcess } from './worker.ts';

/** The command by which a workflow asks for an activity, as far as it is heeded. */
export interface ScheduleActivity {
  readonly seq: number;
  readonly activityId: string;
  readonly activityType: string;
  readonly arguments?: Packed[] | null;
  readonly scheduleToCloseTimeout?: never;
  readonly startToCloseTimeout?: never;
  readonly heartbeatTimeout?: never;
  readonly retryPolicy?: {
    readonly initialInterval?: never;
    readonly backoffCoefficient?: number | null;
    readonly maximumInterval?: never;
    readonly maximumAttempts?: number | null;
    readonly nonRetryableErrorTypes?: string[] | null;
  } | null;
  /** coresdk: 0 try to cancel, 1 wait until it is cancelled, 2 abandon. */
  readonly cancellationType?: number;
}

export type Resolution =
  | { readonly completed: { result?: Packed } }
  | { readonly failed: { failure: Failure } }
  | { readonly cancelled: { failure: Failure } };

export interface TaskDeps {
  readonly time: VirtualTime;
  readonly workers: () => readonly WorkerProcess[];
  /** Which of those that poll takes the next attempt. */
  readonly choose: (workers: readonly WorkerProcess[]) => WorkerProcess;
  readonly payloadLimit: number;
  readonly workflow: { readonly workflowId: string; readonly runId: string; readonly workflowType: string };
  readonly closed: (resolution: Resolution) => void;
  readonly watched: AttemptObserver | undefined;
}

/** One activity of one run, with all its attempts: retries, timeouts, heartbeats and cancellation as Temporal has them. */
export class ActivityTask {
  readonly #deps: TaskDeps;
  readonly #command: ScheduleActivity;
  readonly #input: Packed;
  readonly #deadline: number;
  readonly #limit: { cancel(): void } | undefined;
  #attempts = 0;
  #firstAt: number | undefined;
  #details: Packed;
  #closed = false;
  #waiting = true;
  #cancelAsked = false;
  #current: RunningAttempt | undefined;
  #lastFailure: Failure | undefined;
  /** What an attempt has to say whose worker Temporal does not hear now. */
  #undelivered: (() => void) | undefined;

  constructor(deps: TaskDeps, command: ScheduleActivity) {
    this.#deps = deps;
    this.#command = command;
    this.#input = command.arguments?.[0];
    const limit = msOf(command.scheduleToCloseTimeout);
    this.#deadline = limit === undefined ? Number.POSITIVE_INFINITY : deps.time.now + limit;
    if (limit !== undefined) this.#limit = deps.time.after(limit, () => this.#timedOut(TimeoutType.SCHEDULE_TO_CLOSE));
    deps.time.after(1, () => this.offer());
  }

  /** A worker polls: an attempt that waits for one begins. */
  offer(): void {
    if (this.#closed || !this.#waiting) return;
    const free = this.#deps.workers().filter(polls);
    if (free.length === 0) return;
    this.#waiting = false;
    this.#begin(this.#deps.choose(free));
  }

  /** A worker is heard again. */
  reconnected(): void {
    const deliver = this.#undelivered;
    this.#undelivered = undefined;
    deliver?.();
    this.offer();
  }

  /** The worker is gone, or out of reach: what it holds is noticed by its timeouts. */
  lost(): void {
    this.#current?.lost();
  }

  /** The workflow asks for its end. Resolves the workflow's side as the type of cancellation wants it. */
  cancel(): void {
    if (this.#closed) return;
    this.#cancelAsked = true;
    if (this.#command.cancellationType === 2) return this.#close({ cancelled: { failure: cancelled(this.#command) } });
    this.#current?.cancel();
    if (this.#command.cancellationType !== 1 || !this.#current) this.#close({ cancelled: { failure: cancelled(this.#command) } });
  }

  /** The run is over: nobody waits for it any more. A running attempt hears so at its next heartbeat. */
  forget(): void {
    this.#closed = true;
    this.#limit?.cancel();
    this.#current?.cancel();
  }

  #close(resolution: Resolution): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#limit?.cancel();
    this.#deps.closed(resolution);
  }

  #begin(worker: WorkerProcess): void {
    const { time, watched, workflow } = this.#deps;
    const number = ++this.#attempts;
    const begun = beginAttempt(
      { time, watched, worker },
      {
        runId: workflow.runId,
        command: this.#command,
        input: this.#input,
        number,
        firstAt: (this.#firstAt ??= time.now),
        info: this.#info(number),
        heartbeat: (details) => void (this.#details = details),
        over: () => {
          if (this.#current === begun) this.#current = undefined;
        },
        timedOut: (kind) => {
          if (!this.#closed) this.#timedOut(kind);
        },
        isClosed: () => this.#closed,
        ended: (deliver) => {
          if (polls(worker)) deliver();
          else this.#undelivered = deliver;
        },
        succeeded: (result) => this.#succeeded(result),
        failed: (error, wasCancelled) => this.#failed(error, wasCancelled),
      },
    );
    this.#current = begun;
  }

  #info(attempt: number): object {
    const { workflow } = this.#deps;
    const { activityId, activityType } = this.#command;
    const { workflowId, runId, workflowType } = workflow;
    return {
      activityId,
      activityType,
      attempt,
      isLocal: false,
      taskQueue: 'chaos',
      workflowExecution: { workflowId, runId },
      workflowType,
      heartbeatDetails: unpack(this.#details),
    };
  }

  #succeeded(value: unknown): void {
    const result = pack(value);
    if (sizeOf(result) > this.#deps.payloadLimit) {
      const failure = packFailure(new Error('Complete result exceeds size limit.'));
      return this.#close({ failed: { failure: this.#wrapped(failure) } });
    }
    this.#close({ completed: result ? { result } : {} });
  }

  #failed(error: unknown, wasCancelled: boolean): void {
    if (wasCancelled && (error instanceof CancelledFailure || (error as Error).name === 'AbortError'))
      return this.#close({ cancelled: { failure: cancelled(this.#command) } });
    const failure = packFailure(ensureApplicationFailure(error));
    this.#lastFailure = failure;
    const info = failure.applicationFailureInfo;
    const never = this.#command.retryPolicy?.nonRetryableErrorTypes?.includes(info?.type ?? '') ?? false;
    if (info?.nonRetryable || never) return this.#close({ failed: { failure: this.#wrapped(failure) } });
    this.#again(failure, msOf(info?.nextRetryDelay as never));
  }

  #timedOut(kind: TimeoutType): void {
    if (this.#closed) return;
    const failure = packFailure(new TimeoutFailure(`activity ${kind} timeout`, undefined, kind));
    if (kind !== TimeoutType.SCHEDULE_TO_CLOSE) return this.#again(failure, undefined);
    this.#current?.cancel();
    this.#current?.abandon();
    this.#close({ failed: { failure: this.#wrapped(this.#lastFailure ? { ...failure, cause: this.#lastFailure } : failure) } });
  }

  #again(failure: Failure, delay: number | undefined): void {
    const policy = this.#command.retryPolicy;
    const most = policy?.maximumAttempts ?? 0;
    const first = msOf(policy?.initialInterval) ?? 1_000;
    const longest = msOf(policy?.maximumInterval) ?? first * 100;
    const pause = delay ?? Math.min(longest, first * (policy?.backoffCoefficient || 2) ** (this.#attempts - 1));
    const { time } = this.#deps;
    const isLast = (most > 0 && this.#attempts >= most) || time.now + pause >= this.#deadline;
    if (isLast || this.#cancelAsked) return this.#close({ failed: { failure: this.#wrapped(failure) } });
    time.after(pause, () => {
      if (this.#closed) return;
      this.#waiting = true;
      this.offer();
    });
  }

  #wrapped(cause: Failure): Failure {
    const { activityId, activityType } = this.#command;
    return {
      message: 'Activity task failed',
      cause,
      activityFailureInfo: { activityId, activityType: { name: activityType }, identity: 'chaos', scheduledEventId: 1 as never },
    };
  }
}

function cancelled({ activityId, activityType }: ScheduleActivity): Failure {
  return {
    message: 'Activity cancelled',
    activityFailureInfo: { activityType: { name: activityType }, activityId },
    cause: { message: 'cancelled', canceledFailureInfo: {} },
  };
}
