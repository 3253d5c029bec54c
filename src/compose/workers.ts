import type { ReadyCheck } from '../http.ts';
import { connectWorker, dataConverterOf } from '../temporal/connection.ts';
import { type ClusterWorker, createWorker } from '../temporal/worker.ts';
import { clusterActivities } from './activities.ts';
import { type Foundation, NotSet } from './foundation.ts';

export interface RunningWorkers {
  readonly ready: readonly ReadyCheck[];
  /** Rejects as soon as one of them breaks; resolves when all have stopped. */
  readonly running: Promise<void>;
  /** Lets running activities finish or hand over, then closes what they used. */
  stop(): Promise<void>;
}

/** One worker for each cluster (or for the one that is named), each on its own task queue. */
export async function startWorkers(on: Foundation, only: string | undefined): Promise<RunningWorkers> {
  const { clusters } = on.config.current();
  if (only !== undefined && !Object.hasOwn(clusters, only)) {
    throw new NotSet(
      `There is no cluster "${only}" in the configuration; there is ${Object.keys(clusters).join(', ')}. Nothing was started.`,
    );
  }
  const connection = await connectWorker(on.where);
  const closers: (() => void)[] = [];
  const workers: ClusterWorker[] = [];
  for (const [cluster, config] of Object.entries(clusters).filter(([name]) => only === undefined || name === only)) {
    const parts = clusterActivities(on, cluster, config);
    closers.push(() => parts.close());
    const { workflowBundle } = on.environment;
    workers.push(
      await createWorker({
        cluster,
        connection,
        namespace: on.where.namespace,
        activities: parts.activities,
        dataConverter: dataConverterOf(on.keys),
        ...(workflowBundle ? { bundlePath: workflowBundle } : {}),
      }),
    );
  }
  return {
    ready: workers.map((worker) => ({ name: `worker ${worker.cluster}`, isReady: () => worker.isRunning() })),
    running: Promise.all(workers.map((worker) => worker.running)).then(() => undefined),
    stop: async () => {
      for (const worker of workers) worker.stop();
      await Promise.allSettled(workers.map((worker) => worker.running));
      for (const close of closers) close();
      await connection.close();
    },
  };
}
