import { setImmediate as breathe } from 'node:timers/promises';

/** Longest stretch of work before others on this thread get their turn (ms): fuses fire on it. */
const STRETCH_MS = 5;

/**
 * Runs work that yields often, a stretch at a time. It begins and ends with a turn of its own: what was computed just before, or comes after it,
 * is no part of its first or last stretch. Rejects with the signal's reason once it is aborted.
 */
export async function unhurried<T>(work: Generator<undefined, T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    await breathe();
    signal?.throwIfAborted();
    const began = performance.now();
    let step = work.next();
    while (!step.done && performance.now() - began < STRETCH_MS) step = work.next();
    if (!step.done) continue;
    await breathe();
    return step.value;
  }
}

/** Work in one piece, for `unhurried`. */
export function* alone<T>(work: () => T): Generator<undefined, T> {
  yield undefined;
  return work();
}
