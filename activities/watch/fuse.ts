import { setTimeout as sleep } from 'node:timers/promises';
import type { RestoreInput, RestoreResult, WatchResult } from '../../src/domain/lifecycle/contract.ts';
import type { Log } from '../../src/log.ts';
import type { RestoreOptions } from '../writes/restore.ts';

export interface FuseDeps {
  /** The same restore as the undo's. */
  readonly restore: (input: RestoreInput, options: RestoreOptions) => Promise<RestoreResult>;
  readonly now: () => number;
  /** Called while a fuse that takes minutes goes on. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
  readonly log: Log;
}

/** When what was known; epoch ms. `seenAt` is when the deciding event reached this process. */
export interface Decided {
  readonly seenAt: number;
  readonly decidedAt: number;
}

/** After this many refusals the watch ends without its undo, and the workflow's goes on: that one tells people, and can be given up. */
const TRIES = 8;

/**
 * Fires: the first thing that happens is the write. Not cancellable, since half an undo helps nobody; each call has its own
 * deadline. `endedAt` is when the API acknowledged the last write. Undefined: the cluster has taken no write.
 */
export async function fireFuse(deps: FuseDeps, input: RestoreInput, decided: Decided): Promise<WatchResult['fuse']> {
  const startedAt = deps.now();
  const { signal } = new AbortController();
  for (let attempt = 1; ; attempt++) {
    try {
      let acknowledgedAt: number | undefined;
      const acknowledged = (at: number): void => void (acknowledgedAt = at);
      const result = await deps.restore(input, { signal, acknowledged, progress: deps.progress });
      const endedAt = acknowledgedAt ?? result.at;
      const { seenAt, decidedAt } = decided;
      const timing = { seenAt, decidedAt, acknowledgedAt: endedAt, ownMs: endedAt - seenAt, decisionToWriteMs: endedAt - decidedAt };
      deps.log.warn({ opId: input.opId, result: result.kind, attempt, ...timing }, 'fuse fired');
      return { result, startedAt, endedAt };
    } catch (error) {
      const isLast = attempt === TRIES;
      const next = isLast ? "the operation's undo goes on" : 'trying again';
      deps.log.error({ opId: input.opId, err: error, attempt }, `the fuse could not write; ${next}`);
      if (isLast) return undefined;
      await sleep(Math.min(50 * 2 ** attempt, 1_000));
    }
  }
}
