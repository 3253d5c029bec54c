// Files between the rig and the product's processes: their logs, and the kubeconfigs they are given.
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../cluster/stack.ts';

const RELOADED_WITHIN_MS = 20_000;

/** How often a process has said, in its log, that it has read its configuration; one more than that. */
export async function reloads(logFile: string): Promise<number> {
  return (await readFile(logFile, 'utf8')).split('the new configuration is in force').length;
}

/** Waits until a process says once more than `before` that it has read its configuration again. */
export async function reloaded(logFile: string, before: number, signal: AbortSignal): Promise<void> {
  const end = Date.now() + RELOADED_WITHIN_MS;
  while ((await reloads(logFile)) === before) {
    if (Date.now() > end) throw new Error(`The bot has not read its new configuration within ${RELOADED_WITHIN_MS} ms.`);
    await sleep(100, undefined, { signal });
  }
}

/** The bot's kubeconfig, or a copy of it in `file` that leads to the API by another address. */
export async function kubeconfigOf({ kube }: Stack, file: string, address: string | undefined): Promise<string> {
  const path = kube.kubeconfig('meshops');
  if (address === undefined) return path;
  const text = await readFile(path, 'utf8');
  await writeFile(file, text.replace(kube.url, `https://${address}`), { mode: 0o600 });
  return file;
}
