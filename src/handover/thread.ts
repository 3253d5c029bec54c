// Git in a thread of its own: unpacking a repository takes long, and fuses fire on the thread of the worker.
import { parentPort } from 'node:worker_threads';
import { type Found, type Job, look } from './work.ts';

interface LookMessage {
  readonly id: number;
  readonly job: Job;
}

export type LookReply =
  | { readonly id: number; readonly ok: true; readonly found: Found }
  | { readonly id: number; readonly ok: false; readonly words: string };

parentPort?.on('message', ({ id, job }: LookMessage) => {
  look(job).then(
    (found) => parentPort?.postMessage({ id, ok: true, found } satisfies LookReply),
    (error: unknown) => {
      const words = error instanceof Error ? error.message || error.name : String(error);
      parentPort?.postMessage({ id, ok: false, words } satisfies LookReply);
    },
  );
});
