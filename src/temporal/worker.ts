import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { taskQueueOf } from '../domain/target.ts';

export interface ClusterWorker {
  readonly cluster: string;
  /** Ends when the worker has stopped; rejects when it broke. */
  readonly running: Promise<void>;
  /** True while it polls. */
  isRunning(): boolean;
  /** Asks it to stop: watches are cancelled after the grace time and go on in another worker. */
  stop(): void;
}

interface WorkerParts {
  readonly cluster: string;
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: object;
  readonly dataConverter: DataConverter;
  /** A bundle that was built beforehand; else the workflows are bundled at the start (about a second). */
  readonly bundlePath?: string;
  /** How long running activities may finish by themselves. Milliseconds. */
  readonly graceMs?: number;
}

/** A watch holds its place for the whole soak, so this bounds how many operations one worker can watch at once. */
const MOST_ACTIVITIES = 2_000;

/** How long an operation waits for the worker that knows it before any other goes on: after a crash an abort must not wait long. */
const STICKY_MS = 3_000;

/** A worker for one cluster's task queue. It polls from the moment this returns. */
export async function createWorker(parts: WorkerParts): Promise<ClusterWorker> {
  const graceMs = parts.graceMs ?? 5_000;
  const worker = await Worker.create({
    connection: parts.connection,
    namespace: parts.namespace,
    taskQueue: taskQueueOf(parts.cluster),
    activities: parts.activities,
    dataConverter: parts.dataConverter,
    maxConcurrentActivityTaskExecutions: MOST_ACTIVITIES,
    stickyQueueScheduleToStartTimeout: STICKY_MS,
    shutdownGraceTime: graceMs,
    shutdownForceTime: graceMs * 2 + 5_000,
    ...workflowSource(parts.bundlePath),
  });
  const running = worker.run();
  // Whoever composes the process awaits `running`; this only keeps an early failure from counting as unhandled.
  running.catch(() => undefined);
  return {
    cluster: parts.cluster,
    running,
    isRunning: () => worker.getState() === 'RUNNING',
    stop: () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

function workflowSource(bundlePath: string | undefined): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  if (bundlePath) return { workflowBundle: { codePath: bundlePath } };
  return { workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)) };
}
