import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { VerbName } from '../src/domain/lifecycle/change.ts';
import type { Shared, Steps } from '../src/domain/lifecycle/contract.ts';
import type { Write } from '../src/domain/lifecycle/plan.ts';
import type { OperationSettings } from '../src/domain/lifecycle/settings.ts';

/** As long as anybody could care about an operation. Milliseconds. */
const LONGEST_OUTAGE_MS = 30 * 24 * 3_600_000;

/** How long a question about the world holds up an undo. Milliseconds. */
const LOOK_MS = 1_000;

/** What one object of a large stage may take on a slow API server, beyond the usual time. Milliseconds. */
export const WRITE_MS = 200;

/** What one pod that is replaced may take. Milliseconds. */
const REPLACED_MS = 150_000;

/** A write or an undo that takes minutes beats, so that another worker goes on with it when this one dies. Milliseconds. */
const SLOW_BEAT_MS = 10_000;

const RETRY = { initialInterval: 200, backoffCoefficient: 2, maximumInterval: 5_000 } as const;

/** The one table of timeouts and retries of all activities. */
function optionsOf(settings: OperationSettings): Record<keyof Steps, (size: number) => ActivityOptions> {
  return {
    // An outage of the database is waited out; the activity itself gives up at the fourth failure of any other kind.
    plan: () => ({ startToCloseTimeout: 60_000, scheduleToCloseTimeout: LONGEST_OUTAGE_MS, retry: RETRY }),
    apply: (writes) => ({
      startToCloseTimeout: 15_000 + writes * WRITE_MS,
      retry: { ...RETRY, maximumAttempts: 4 },
      ...(isSlow(writes) && { heartbeatTimeout: SLOW_BEAT_MS }),
    }),
    realised: (timeoutMs) => ({ startToCloseTimeout: timeoutMs + 10_000, retry: { ...RETRY, maximumAttempts: 4 } }),
    watch: (durationMs) => ({
      // A policy's watch goes on for as long again where nothing has come of what it is there for.
      startToCloseTimeout: 2 * durationMs + 60_000,
      // With no worker alive nobody watches; the watch goes on as soon as one is there.
      scheduleToCloseTimeout: durationMs + 24 * 3_600_000,
      heartbeatTimeout: settings.watchHeartbeatMs,
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      retry: { ...RETRY, maximumInterval: 1_000 },
    }),
    // The undo is tried for as long as anybody could still care, ahead of everything else in the queue.
    restore: (objects) => ({
      startToCloseTimeout: 20_000 + objects * WRITE_MS,
      scheduleToCloseTimeout: 7 * 24 * 3_600_000,
      retry: { ...RETRY, maximumInterval: 2_000 },
      priority: { priorityKey: 1 },
      ...(isSlow(objects) && { heartbeatTimeout: SLOW_BEAT_MS }),
    }),
    // Nobody who wants to stop waits for the answer: without one the undo begins.
    unready: (waitMs) =>
      waitMs === 0
        ? { startToCloseTimeout: LOOK_MS, scheduleToCloseTimeout: 2 * LOOK_MS, retry: { maximumAttempts: 1 }, priority: { priorityKey: 1 } }
        : {
            startToCloseTimeout: waitMs + 60_000,
            scheduleToCloseTimeout: waitMs + 60_000,
            heartbeatTimeout: 30_000,
            retry: { ...RETRY, maximumInterval: 2_000 },
          },
  };
}

function isSlow(size: number): boolean {
  return size * WRITE_MS >= REPLACED_MS;
}

/** Writes by what they take: a pod that is replaced takes as long as its successor needs to be ready. */
export function sizeOf(writes: readonly Pick<Write, 'kind'>[]): number {
  return writes.reduce((size, { kind }) => size + (kind === 'replace' ? REPLACED_MS / WRITE_MS : 1), 0);
}

/** What undoing may take beyond the usual, where pods have to be replaced once more. Milliseconds. */
export function slowUndoMs(written: readonly { readonly writes: readonly Pick<Write, 'kind'>[] }[]): number {
  return written.flatMap(({ writes }) => writes).filter(({ kind }) => kind === 'replace').length * REPLACED_MS;
}

/**
 * The four functions in which verbs differ, and the restore, as this workflow calls them. `size`: how long a watch or the wait for the cluster is in milliseconds, how many
 * objects an apply or a restore writes.
 */
export function stepsOf(verb: VerbName, settings: OperationSettings): <K extends keyof Steps>(step: K, size?: number) => Steps[K] {
  const options = optionsOf(settings);
  return (step, size = 0) => {
    const name = `${verb}.${step}`;
    // A proxy answers every name, so the member is always there.
    return proxyActivities<Record<string, Steps[typeof step]>>(options[step](size))[name] as Steps[typeof step];
  };
}

/** A question that is worth a moment and no more: what is in force is not watched meanwhile. */
export const quick = proxyActivities<Pick<Shared, 'frozen' | 'resolveApprovers' | 'fill'>>({
  startToCloseTimeout: 2_000,
  retry: { maximumAttempts: 1 },
});

/** Waits as long as a question may be open; whoever asked does not wait for it. */
export function attentive(forMs: number): Pick<Shared, 'attend'> {
  return proxyActivities<Pick<Shared, 'attend'>>({
    startToCloseTimeout: forMs + 60_000,
    scheduleToCloseTimeout: forMs + LONGEST_OUTAGE_MS,
    heartbeatTimeout: 60_000,
    retry: { ...RETRY, maximumInterval: 20_000 },
  });
}

/** What is live at the end: an operation does not end much later because nobody can read it now. */
export const look = proxyActivities<Pick<Shared, 'inspect'>>({
  startToCloseTimeout: 5_000,
  scheduleToCloseTimeout: 10_000,
  retry: { initialInterval: 500, maximumAttempts: 3 },
});

/**
 * What all verbs share. None of it is waited for by anything urgent, and an outage of the database or of Slack fails none of it: a record
 * is tried until it is kept, a message until it is posted. One activity each, so that the history does not grow with the outage.
 */
export const shared = proxyActivities<Shared>({
  startToCloseTimeout: 15_000,
  scheduleToCloseTimeout: LONGEST_OUTAGE_MS,
  retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 20_000 },
});
