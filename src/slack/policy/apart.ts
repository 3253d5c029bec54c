// Work on files of people, in a thread of its own with a deadline: nothing that somebody sends may hold up an answer to others.
import { Worker } from 'node:worker_threads';
import type { TaskReply } from './task-thread.ts';
import type { TaskInput, TaskName, TaskOutput } from './tasks.ts';

/** The work was not done: it took too long, or too much waits already. */
export class NotDone extends Error {
  override readonly name = 'NotDone' as const;
}

export interface Apart {
  /** Rejects with `NotDone`, or with what broke in the thread. */
  run<Name extends TaskName>(name: Name, input: TaskInput<Name>): Promise<TaskOutput<Name>>;
  close(): Promise<void>;
}

export interface ApartOptions {
  /** From the start of a task; the thread is ended when it is over. Milliseconds. */
  readonly deadlineMs?: number;
  readonly mostWaiting?: number;
}

const DEADLINE_MS = 4_000;
const MOST_WAITING = 30;
/** What a file of 256 KiB becomes stays far below it; more is an attack. */
const MOST_MEMORY_MB = 512;

interface Job {
  readonly name: TaskName;
  readonly input: unknown;
  readonly resolve: (output: never) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, begun at the first task; one task after the other. */
export function createApart({ deadlineMs = DEADLINE_MS, mostWaiting = MOST_WAITING }: ApartOptions = {}): Apart {
  const waiting: Job[] = [];
  let current: { readonly id: number; readonly job: Job; readonly timer: NodeJS.Timeout } | undefined;
  let thread: Worker | undefined;
  let ids = 0;
  const end = (finish: (job: Job) => void): void => {
    if (!current) return;
    const { job, timer } = current;
    clearTimeout(timer);
    current = undefined;
    finish(job);
    next();
  };
  const lose = (error: Error): void => {
    void thread?.terminate();
    thread = undefined;
    end((job) => job.reject(error));
  };
  const begin = (): Worker => {
    const worker = new Worker(new URL('./task-thread.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB } });
    worker.unref();
    worker.on('message', (reply: TaskReply) => {
      if (reply.id !== current?.id) return;
      end((job) => (reply.ok ? job.resolve(reply.output as never) : job.reject(new Error(reply.words))));
    });
    // Out of memory, or ended from outside: the task is lost, the next one gets a new thread.
    worker.on('error', (error) => worker === thread && lose(new NotDone(error.message)));
    return worker;
  };
  const next = (): void => {
    const job = current ? undefined : waiting.shift();
    if (!job) return;
    thread ??= begin();
    ids += 1;
    const timer = setTimeout(() => lose(new NotDone(`It takes longer than ${deadlineMs / 1000} s.`)), deadlineMs);
    current = { id: ids, job, timer };
    thread.postMessage({ id: ids, name: job.name, input: job.input });
  };
  return {
    run: <Name extends TaskName>(name: Name, input: TaskInput<Name>) =>
      new Promise<TaskOutput<Name>>((resolve, reject) => {
        if (waiting.length >= mostWaiting) return reject(new NotDone('Too many files are being read already.'));
        waiting.push({ name, input, resolve, reject });
        next();
      }),
    close: async () => {
      for (const job of waiting.splice(0)) job.reject(new NotDone('meshops is stopping.'));
      const ended = thread?.terminate();
      thread = undefined;
      end((job) => job.reject(new NotDone('meshops is stopping.')));
      await ended;
    },
  };
}
