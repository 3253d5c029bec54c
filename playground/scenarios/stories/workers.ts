import { readFile } from 'node:fs/promises';
import type { Child } from '../../cluster/warden.ts';
import type { Rig } from '../../rig/rig.ts';
import type { Operation } from '../operation.ts';
import { must } from '../scenario.ts';
import type { Scene } from '../scene.ts';

/** What stories that meddle with workers have in common. */

/** The worker that runs now. */
export function workerOf({ rig }: Scene): Child {
  const worker = rig.workers.at(-1);
  must(worker !== undefined, 'there is no worker');
  return worker;
}

export async function killWorker(scene: Scene): Promise<void> {
  const worker = workerOf(scene);
  worker.kill('SIGKILL');
  await worker.exited;
}

/** Another worker in the place of the one that runs now. */
export async function restartedWorker(scene: Scene, options: Parameters<Rig['startWorker']>[0]): Promise<Child> {
  await killWorker(scene);
  return scene.rig.startWorker(options);
}

/** Waits until an attempt of the operation's watch hears traffic: it has said so in its heartbeats. The phase is shown well before. */
export async function underWatch(scene: Scene, { handle }: Operation, attempt = 1): Promise<void> {
  const isWatched = async (): Promise<boolean> => {
    const { raw } = await handle.describe();
    const watches = (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name?.endsWith('.watch') === true);
    return watches.some((watch) => watch.state === STARTED && (watch.attempt ?? 0) >= attempt && hears(watch.heartbeatDetails));
  };
  await scene.until(isWatched, `attempt ${attempt} of the watch to hear traffic`, 30_000);
}

/** temporal.api.enums.v1.PendingActivityState */
const STARTED = 2;

type Payloads = { readonly payloads?: readonly { readonly data?: Uint8Array | null }[] | null } | null | undefined;

function hears(heartbeat: Payloads): boolean {
  const data = heartbeat?.payloads?.[0]?.data;
  if (!data) return false;
  const progress = JSON.parse(Buffer.from(data).toString('utf8')) as { readonly series?: readonly unknown[] };
  return (progress.series ?? []).length > 0;
}

/** What a worker wrote into its log. */
export async function logOf(scene: Scene, worker: string): Promise<string> {
  return readFile(`${scene.rig.stack.dir}/${worker}.log`, 'utf8');
}
