import { isCancellation, log } from '@temporalio/workflow';

/** The value of what may have been cancelled; a failure is told by whoever waits for the work itself. */
export async function quiet<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch((error: unknown) => {
    if (!isCancellation(error)) log.warn('what ran beside a guard failed', { error: String(error) });
    return undefined;
  });
}
