/** The load's thread as the main thread sees it. */
import { Worker } from 'node:worker_threads';
import type { LoadData, LoadReply, LoadRequest } from './messages.ts';

export interface LoadThread {
  setRate(requestsPerSecond: number): void;
  /** What the clients saw so far. */
  counts(): Promise<LoadReply>;
  stop(): Promise<void>;
}

/** Starts the load in a thread of its own. */
export function startLoadThread(data: LoadData, onError: (error: unknown) => void): LoadThread {
  const worker = new Worker(new URL('load-thread.ts', import.meta.url), { workerData: data });
  worker.on('error', onError);
  const send = (message: LoadRequest): void => worker.postMessage(message);
  return {
    setRate: (requestsPerSecond) => send({ do: 'rate', requestsPerSecond }),
    counts: () =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error('The load is stopped.'));
        worker.once('exit', gone);
        worker.once('message', (reply: LoadReply) => {
          worker.off('exit', gone);
          resolve(reply);
        });
        send({ do: 'counts' });
      }),
    stop: async () => void (await worker.terminate()),
  };
}
