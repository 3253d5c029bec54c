/** Waiting for something that changes elsewhere. */
import { setTimeout as wait } from 'node:timers/promises';

const stepMs = 20;

/** Resolves when `done` says so; rejects with one sentence when it has not within the time, or with the signal's reason. */
export async function until(
  done: () => boolean | Promise<boolean>,
  options: { readonly what: string; readonly withinMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + options.withinMs;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`${options.what} after ${options.withinMs / 1_000} s.`);
    await wait(stepMs, undefined, { signal: options.signal });
  }
}
