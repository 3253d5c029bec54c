import { Worker } from 'node:worker_threads';
import type { LookReply } from './thread.ts';
import type { Found, Job } from './work.ts';

export interface GitApart {
  /** Rejects with why Git could not be read or written. */
  look(job: Job): Promise<Found>;
  close(): Promise<void>;
}

const MOST_MEMORY_MB = 512;

/** One thread, begun with the first job. Each job has its deadline there. */
export function createGitApart(): GitApart {
  const waiting = new Map<number, { readonly resolve: (found: Found) => void; readonly reject: (error: Error) => void }>();
  let thread: Worker | undefined;
  let ids = 0;
  const lose = (words: string): void => {
    thread = undefined;
    for (const { reject } of waiting.values()) reject(new Error(words));
    waiting.clear();
  };
  const begin = (): Worker => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB } });
    worker.unref();
    worker.on('message', (reply: LookReply) => {
      const job = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.ok) job?.resolve(reply.found);
      else job?.reject(new Error(reply.words));
    });
    worker.on('error', (error) => worker === thread && lose(error.message));
    return worker;
  };
  return {
    look: (job) =>
      new Promise((resolve, reject) => {
        thread ??= begin();
        ids += 1;
        waiting.set(ids, { resolve, reject });
        thread.postMessage({ id: ids, job });
      }),
    close: async () => {
      const ended = thread?.terminate();
      lose('meshops is stopping.');
      await ended;
    },
  };
}
