import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** Who polled, by process and host: nothing that a replay needs, and nothing that belongs into a repository. */
const MACHINE_FIELDS = new Set(['identity']);

/** Writes an operation's history for the replay tests, without the names of processes and hosts. */
export async function recordHistory(folder: URL, name: string, handle: WorkflowHandle): Promise<void> {
  const json: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()));
  const clean = JSON.stringify(json, (key, value: unknown) => (MACHINE_FIELDS.has(key) ? 'worker' : value));
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${name}.json.gz`, folder), gzipSync(clean, { level: 9 }));
}
