import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './job.ts';

/**
 * A young generation of this size (MiB) is collected seldom: a run leaves much behind, and keeps little. Much code runs a little: it is compiled
 * plainly at once. Each process keeps to one core, also when it collects.
 */
const FLAGS = ['--max-semi-space-size=64', '--always-sparkplug', '--single-threaded-gc', '--disable-warning=ExperimentalWarning'];
/** A process keeps some of each run (the SDK's one VM for all workflows); after so many orders another takes its place. */
const MOST_ORDERS = 50;
const JOB = fileURLToPath(new URL('job.ts', import.meta.url));

/**
 * Plays orders in so many processes, each in the next one that is free. `next` gives the next order, or undefined when there is none any
 * more; `heard` is told what came of each. Rejects when a process ends by itself.
 */
export async function inProcesses(count: number, next: () => Order | undefined, heard: (report: Report) => void): Promise<void> {
  const children = new Set<ChildProcess>();
  try {
    await Promise.all(
      Array.from({ length: count }, async () => {
        for (let order = next(); order; ) {
          const child = fork(JOB, { execArgv: FLAGS, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
          children.add(child);
          for (let played = 0; order && played < MOST_ORDERS; played += 1, order = next()) heard(await answerTo(child, order));
          children.delete(child);
          child.disconnect();
        }
      }),
    );
  } finally {
    for (const child of children) child.disconnect();
  }
}

function answerTo(child: ChildProcess, order: Order): Promise<Report> {
  const { promise, resolve, reject } = Promise.withResolvers<Report>();
  const ended = (code: number | null): void => reject(new Error(`a process that played seeds from ${order.first} on ended with ${code}`));
  child.once('exit', ended);
  child.once('message', (report) => {
    child.off('exit', ended);
    resolve(report as Report);
  });
  child.send(order);
  return promise;
}
