import { setTimeout as sleep } from 'node:timers/promises';
import { StackFailure } from './failure.ts';

/** What `until` waits for and how long, in milliseconds. */
export type Waiting = {
  readonly what: string;
  readonly withinMs: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Extra words for the failure, as the last lines of a log. */
  readonly explain?: () => string;
};

/**
 * Asks again and again until the answer is true.
 * @throws StackFailure `not-ready` after `withinMs`; the signal's reason when aborted
 */
export async function until(condition: (signal: AbortSignal) => Promise<boolean>, waiting: Waiting): Promise<void> {
  const deadline = AbortSignal.timeout(waiting.withinMs);
  const either = AbortSignal.any([waiting.signal, deadline]);
  for (;;) {
    waiting.signal.throwIfAborted();
    const ready = await condition(either).catch((error: unknown) => {
      if (either.aborted) return false;
      throw error;
    });
    if (ready) return;
    waiting.signal.throwIfAborted();
    if (deadline.aborted) {
      const extra = waiting.explain?.() ?? '';
      throw new StackFailure(
        'not-ready',
        `${waiting.what} was not ready within ${waiting.withinMs / 1000} s.${extra === '' ? '' : ` ${extra}`}`,
      );
    }
    await sleep(waiting.everyMs, undefined, { signal: either }).catch(() => undefined);
  }
}
