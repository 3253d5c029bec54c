import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** `pid@host`, alone or before a sticky queue's id: who polled. Nothing that a replay needs, and nothing that belongs into a repository. */
const MACHINE = /^\d+@/;

/** Writes an operation's history for the replay tests, without the names of processes and hosts. */
export async function recordHistory(folder: URL, name: string, handle: WorkflowHandle): Promise<void> {
  const json: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()));
  const clean = JSON.stringify(json, (_key, value: unknown) => (typeof value === 'string' && MACHINE.test(value) ? 'worker' : value));
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${name}.json.gz`, folder), gzipSync(clean, { level: 9 }));
}
