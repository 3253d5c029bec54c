/** A level-triggered control loop: any number of triggers while it runs mean one more run. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Loop {
  trigger(): void;
  /** Resolves when no run is under way or due. */
  idle(): Promise<void>;
}

export interface LoopOptions {
  readonly reconcile: () => Promise<void>;
  /** Milliseconds to wait between the trigger and the run, drawn anew each time. */
  readonly delay: () => number;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const retryMs = 250;

/** Runs `reconcile` after each trigger, one at a time; a failed run is reported and tried again. */
export function createLoop(options: LoopOptions): Loop {
  let due = false;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    while (due && !options.signal.aborted) {
      due = false;
      try {
        const delay = options.delay();
        if (delay > 0) await wait(delay, undefined, { signal: options.signal });
        await options.reconcile();
      } catch (error) {
        if (options.signal.aborted) return;
        options.onError(error);
        due = true;
        await wait(retryMs, undefined, { signal: options.signal }).catch(() => undefined);
      }
    }
  };

  const trigger = (): void => {
    due = true;
    running ??= run().finally(() => {
      running = undefined;
      // A trigger may have come between the last check of `due` and here.
      if (due && !options.signal.aborted) trigger();
    });
  };

  return {
    trigger,
    idle: async () => {
      while (running) await running;
    },
  };
}
