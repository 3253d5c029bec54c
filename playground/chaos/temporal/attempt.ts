import { asyncLocalStorage, Context } from '@temporalio/activity';
import { CancelledFailure, TimeoutType } from '@temporalio/common';
import { ActivityCancellationDetails } from '@temporalio/common/lib/activity-cancellation-details.js';
import type { VirtualTime } from '../virtual-time.ts';
import { msOf, type Packed, pack, unpack } from './payload.ts';
import type { ScheduleActivity } from './task.ts';
import { polls, type WorkerProcess } from './worker.ts';

export interface AttemptObserver {
  begun(attempt: Attempt): void;
  ended(attempt: Attempt, result: unknown, error: unknown): void;
}

/** One try of an activity, in one worker. */
export interface Attempt {
  readonly type: string;
  readonly runId: string;
  readonly input: unknown;
  /** How large the input is, before it is compressed. */
  readonly bytes: number;
  readonly number: number;
  readonly worker: WorkerProcess;
  readonly startedAt: number;
  /** When the first try of the same activity began. */
  readonly firstAt: number;
  /** It still does something: it has not ended and its process lives. */
  isLive(): boolean;
}

/** What its activity does with one that runs. */
export interface RunningAttempt {
  /** Nobody waits for it any more. */
  abandon(): void;
  /** It is to hear, at its next heartbeat, that it is to end. */
  cancel(): void;
  /** Its worker is gone or out of reach. */
  lost(): void;
}

interface Where {
  readonly time: VirtualTime;
  readonly watched: AttemptObserver | undefined;
  readonly worker: WorkerProcess;
}

/** What it is about, and who is told what came of it. */
interface Asked {
  readonly runId: string;
  readonly command: ScheduleActivity;
  readonly input: Packed;
  readonly number: number;
  readonly firstAt: number;
  readonly info: object;
  readonly heartbeat: (details: Packed) => void;
  /** It counts no more: it has ended, or was given up. */
  readonly over: () => void;
  readonly timedOut: (kind: TimeoutType) => void;
  readonly isClosed: () => boolean;
  /** It has something to say, which `deliver` says: at once, or when its worker is heard again. */
  readonly ended: (deliver: () => void) => void;
  readonly succeeded: (result: unknown) => void;
  readonly failed: (error: unknown, wasCancelled: boolean) => void;
}

/** How long it takes until an attempt hears that it is to end; and how often that is tried while its worker is out of reach (ms). */
const HEARD_MS = 40;
const UNHEARD_MS = 1_000;

/** Runs the activity once, in this worker. */
export function beginAttempt({ time, watched, worker }: Where, asked: Asked): RunningAttempt {
  const startedAt = time.now;
  let live = true;
  let heard = true;
  const { command, input, number, runId, firstAt } = asked;
  const { activityType: type } = command;
  const attempt: Attempt = {
    type,
    runId,
    input: unpack(input),
    bytes: input?.data?.length ?? 0,
    number,
    worker,
    startedAt,
    firstAt,
    isLive: () => live && worker.alive,
  };
  const controller = new AbortController();
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  const holder: { details?: ActivityCancellationDetails } = {};
  const stop = (why: ConstructorParameters<typeof ActivityCancellationDetails>[0], words: string): void => {
    if (!live || controller.signal.aborted) return;
    holder.details = new ActivityCancellationDetails(why);
    const error = new CancelledFailure(words);
    time.in(worker, () => {
      stopped.reject(error);
      controller.abort(error);
    });
  };
  const beats = msOf(command.heartbeatTimeout);
  const limit = msOf(command.startToCloseTimeout);
  let within: { cancel(): void } | undefined;
  const over = (): void => {
    within?.cancel();
    heard = false;
    asked.over();
  };
  const timeout = (kind: TimeoutType): void => {
    if (!heard || asked.isClosed()) return;
    over();
    stop({ timedOut: true }, 'TIMED_OUT');
    asked.timedOut(kind);
  };
  if (limit !== undefined) within = time.after(limit, () => timeout(TimeoutType.START_TO_CLOSE));
  // The answer to a heartbeat says so; one whose worker is out of reach hears it when it is heard again.
  const tell = (): void => {
    if (!live || !worker.alive) return;
    if (polls(worker)) stop({ cancelRequested: true }, 'CANCELLED');
    else time.after(UNHEARD_MS, tell);
  };
  const heartbeat = (value: unknown): void => {
    if (heard && polls(worker)) asked.heartbeat(pack(value));
  };
  const context = new Context(
    asked.info as never,
    stopped.promise,
    controller.signal,
    heartbeat as never,
    undefined as never,
    SILENT as never,
    undefined as never,
    holder as never,
  );
  watched?.begun(attempt);
  const activity = worker.activities[type];
  const done = time.in(worker, () =>
    asyncLocalStorage.run(context, async () => {
      if (!activity) throw new Error(`no activity ${type}`);
      return activity(attempt.input as never);
    }),
  );
  const ended = (result: unknown, error: unknown): void => {
    const wasAlive = worker.alive;
    live = false;
    if (wasAlive) watched?.ended(attempt, result, error);
    asked.ended(() => {
      if (!heard || !worker.alive) return;
      over();
      if (error === undefined) asked.succeeded(result);
      else asked.failed(error, holder.details !== undefined);
    });
  };
  done.then(
    (result) => ended(result, undefined),
    (error: unknown) => ended(undefined, error ?? new Error('unknown')),
  );
  return {
    abandon: over,
    cancel: () => {
      if (beats !== undefined) time.after(HEARD_MS, tell);
    },
    lost: () => {
      if (heard && beats !== undefined) time.after(beats, () => !polls(worker) && timeout(TimeoutType.HEARTBEAT));
    },
  };
}

const SILENT = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
