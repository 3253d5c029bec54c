import { createGitApart } from '../handover/apart.ts';
import type { ReadyCheck } from '../http.ts';
import { connectWorker, dataConverterOf } from '../temporal/connection.ts';
import { createOperations } from '../temporal/operations.ts';
import { type ClusterWorker, createWorker } from '../temporal/worker.ts';
import { clusterActivities } from './activities.ts';
import { type Foundation, NotSet } from './foundation.ts';
import { type HandoverDeps, handOver } from './handover.ts';
import { type ReconcilerDeps, reconcile } from './lost.ts';

export interface RunningWorkers {
  readonly ready: readonly ReadyCheck[];
  /** Rejects as soon as one of them breaks; resolves when all have stopped. */
  readonly running: Promise<void>;
  /** Looks for operations whose run is gone, and tells Git what completed ones have left, until the signal aborts. */
  reconcile(signal: AbortSignal): Promise<void>;
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
  const reconcilers: ReconcilerDeps[] = [];
  const handovers: HandoverDeps[] = [];
  const git = createGitApart();
  const operations = createOperations({
    client: on.client,
    now: on.now,
    lookup: async (opId) => on.audit.operation(opId),
    onError: (error) => on.telemetry.log.error({ err: error }, 'background work of the worker broke'),
  });
  for (const [cluster, config] of Object.entries(clusters).filter(([name]) => only === undefined || name === only)) {
    const parts = clusterActivities(on, operations, cluster, config);
    closers.push(() => parts.close());
    reconcilers.push({ cluster, operations, ...parts.reconciler });
    handovers.push({ cluster, git, ...parts.handover });
    const { workflowBundle } = on.environment;
    workers.push(
      await createWorker({
        cluster,
        connection,
        namespace: on.where.namespace,
        activities: parts.activities,
        dataConverter: dataConverterOf(on.secrets),
        ...(workflowBundle ? { bundlePath: workflowBundle } : {}),
      }),
    );
  }
  return {
    ready: workers.map((worker) => ({ name: `worker ${worker.cluster}`, isReady: () => worker.isRunning() })),
    running: Promise.all(workers.map((worker) => worker.running)).then(() => undefined),
    reconcile: async (signal) =>
      void (await Promise.all([...reconcilers.map((deps) => reconcile(deps, signal)), ...handovers.map((deps) => handOver(deps, signal))])),
    stop: async () => {
      for (const worker of workers) worker.stop();
      await Promise.allSettled(workers.map((worker) => worker.running));
      for (const close of closers) close();
      await git.close();
      await connection.close();
    },
  };
}
