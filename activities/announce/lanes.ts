// Calls about one operation go one after the other, and a view that is older than what was shown is not shown any more.
import type { OperationView } from '../../src/domain/operation.ts';

const REMEMBERED = 2_000;

export interface Lanes {
  /** Runs the work after whatever this operation has under way. */
  run<T>(opId: string, work: () => Promise<T>): Promise<T>;
  isBusy(opId: string): boolean;
  shown(view: OperationView): void;
  /** An edit of this view would show less than what people have already seen. */
  isStale(view: OperationView): boolean;
}

/** Knows this process only: two workers that edit one message are kept apart by the watch's heartbeat, not by this. */
export function createLanes(): Lanes {
  const running = new Map<string, Promise<unknown>>();
  const seen = new Map<string, number>();
  return {
    async run(opId, work) {
      const before = running.get(opId);
      const mine = before ? before.then(work, work) : work();
      running.set(opId, mine);
      try {
        return await mine;
      } finally {
        if (running.get(opId) === mine) running.delete(opId);
      }
    },
    isBusy: (opId) => running.has(opId),
    shown(view) {
      const best = Math.max(seen.get(view.opId) ?? 0, progressOf(view));
      seen.delete(view.opId);
      seen.set(view.opId, best);
      const oldest = seen.size > REMEMBERED ? seen.keys().next().value : undefined;
      if (oldest !== undefined) seen.delete(oldest);
    },
    isStale: (view) => progressOf(view) < (seen.get(view.opId) ?? 0),
  };
}

/** A number that never falls over an operation's life: stages begun, then the undo, then the end. */
function progressOf(view: OperationView): number {
  const end = view.phase === 'over' ? 2 : view.phase === 'restoring' ? 1 : 0;
  return end * 1_000_000 + view.stages.filter((stage) => stage.state !== 'pending').length;
}
