import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationView, Phase } from '../domain/lifecycle/operation.ts';
import { targetOf } from '../domain/target.ts';
import type { Log } from '../log.ts';
import type { OperationsSeen } from '../telemetry.ts';
import type { Operations } from '../temporal/operations.ts';

const EVERY_MS = 10_000;
const AT_ONCE = 16;
/** More are not looked at one by one; that they are there is told. */
const MOST_RUNNING = 5_000;
/** Phases in which nothing has been written yet, unless a stage says otherwise. */
const BEFORE: ReadonlySet<Phase> = new Set<Phase>(['planning', 'waiting']);

export interface MonitorDeps {
  readonly operations: Pick<Operations, 'listRunning' | 'describe'>;
  /** `cluster/namespace/name` of operations whose run is gone and whose change is not known to be rolled back. */
  readonly lost: () => Promise<readonly string[]>;
  readonly clusters: () => readonly string[];
  readonly seen: (cluster: string, operations: OperationsSeen) => void;
  readonly now: () => number;
  readonly log: Log;
}

/**
 * Looks at all running operations again and again until the signal aborts, from outside the workers: only so can it be told that
 * an operation has changed the mesh and no worker is there to watch it.
 */
export async function monitor(deps: MonitorDeps, signal: AbortSignal): Promise<void> {
  const last = new Map<string, OperationView>();
  while (!signal.aborted) {
    try {
      await look(deps, last);
    } catch (error) {
      deps.log.warn({ err: error }, 'the running operations could not be looked at; the metrics keep their last values');
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One look. `last` keeps what was last known of each run, for the time when no worker answers. */
export async function look(deps: MonitorDeps, last: Map<string, OperationView>): Promise<void> {
  const running = await deps.operations.listRunning(MOST_RUNNING);
  if (running.length >= MOST_RUNNING)
    deps.log.error({ most: MOST_RUNNING }, 'more operations run than are looked at: the metrics lack the oldest');
  const here = new Set(running.map((at) => at.runId ?? ''));
  for (const runId of last.keys()) if (!here.has(runId)) last.delete(runId);
  const silent = new Map<string, number>();
  for (let start = 0; start < running.length; start += AT_ONCE) {
    await Promise.all(
      running.slice(start, start + AT_ONCE).map(async (at) => {
        const answer = await deps.operations.describe(at);
        const key = at.runId ?? '';
        if (answer.kind === 'view') last.set(key, answer.view);
        const cluster = targetOf(at)?.cluster ?? '';
        const before = last.get(key);
        if (answer.kind === 'silent' && (!before || hasChanged(before))) silent.set(cluster, (silent.get(cluster) ?? 0) + 1);
      }),
    );
  }
  for (const target of await deps.lost()) {
    const cluster = target.slice(0, target.indexOf('/'));
    silent.set(cluster, (silent.get(cluster) ?? 0) + 1);
  }
  for (const cluster of deps.clusters()) {
    const views = [...last.values()].filter((view) => view.target.cluster === cluster);
    deps.seen(cluster, { ...summary(views, deps.now()), unwatched: silent.get(cluster) ?? 0 });
  }
}

function hasChanged(view: OperationView): boolean {
  return !BEFORE.has(view.phase) || view.stages.some((stage) => stage.startedAt !== undefined);
}

function summary(views: readonly OperationView[], now: number): Omit<OperationsSeen, 'unwatched'> {
  const byPhase: Partial<Record<Phase, number>> = {};
  for (const view of views) byPhase[view.phase] = (byPhase[view.phase] ?? 0) + 1;
  const gates = views.flatMap((view) => (view.gate ? [now - view.gate.openedAt] : []));
  return { byPhase, undoFailing: views.filter((view) => view.undoFailing).length, gateAgeMs: Math.max(0, ...gates) };
}
