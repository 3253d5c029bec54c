import { setTimeout as sleep } from 'node:timers/promises';
import type { RestoreInput, RestoreResult, WatchResult } from '../contract.ts';
import type { Log } from '../log.ts';
import type { RestoreOptions } from '../writes/restore.ts';

export interface FuseDeps {
  /** The same restore as the undo's. */
  readonly restore: (input: RestoreInput, options: RestoreOptions) => Promise<RestoreResult>;
  readonly now: () => number;
  readonly log: Log;
}

/** When what was known; epoch ms. `seenAt` is when the deciding event reached this process. */
export interface Decided {
  readonly seenAt: number;
  readonly decidedAt: number;
}

/** After this many refusals the attempt ends; the next one, and the workflow's undo, go on. */
const TRIES = 8;

/**
 * Fires: the first thing that happens is the write. Not cancellable, since half an undo helps nobody; each call has its own
 * deadline. `endedAt` is when the API acknowledged the last write. Throws the last failure when the cluster takes no write.
 */
export async function fireFuse(deps: FuseDeps, input: RestoreInput, decided: Decided): Promise<NonNullable<WatchResult['fuse']>> {
  const startedAt = deps.now();
  const { signal } = new AbortController();
  for (let attempt = 1; ; attempt++) {
    try {
      let acknowledgedAt: number | undefined;
      const acknowledged = (at: number): void => void (acknowledgedAt = at);
      const result = await deps.restore(input, { signal, acknowledged });
      const endedAt = acknowledgedAt ?? result.at;
      const { seenAt, decidedAt } = decided;
      const timing = { seenAt, decidedAt, acknowledgedAt: endedAt, ownMs: endedAt - seenAt, decisionToWriteMs: endedAt - decidedAt };
      deps.log.warn({ opId: input.opId, result: result.kind, attempt, ...timing }, 'fuse fired');
      return { result, startedAt, endedAt };
    } catch (error) {
      deps.log.error({ opId: input.opId, err: error, attempt }, 'the fuse could not write; trying again');
      if (attempt === TRIES) throw error;
      await sleep(Math.min(50 * 2 ** attempt, 1_000));
    }
  }
}
