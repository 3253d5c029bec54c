import { setImmediate as breathe } from 'node:timers/promises';

/** Longest stretch of work before others on this thread get their turn (ms): fuses fire on it. */
const STRETCH_MS = 5;

/** Runs work that yields often, a stretch at a time. Rejects with the signal's reason once it is aborted. */
export async function unhurried<T>(work: Generator<undefined, T>, signal: AbortSignal): Promise<T> {
  let began = performance.now();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    if (performance.now() - began < STRETCH_MS) continue;
    await breathe();
    signal.throwIfAborted();
    began = performance.now();
  }
}
