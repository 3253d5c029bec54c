import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StackFailure } from './failure.ts';
import { isAlive, type ProcessIdentity, send } from './processes.ts';
import { until } from './waiting.ts';
import { RECORD_FILE, WardenRecord } from './warden-protocol.ts';

/** The record of the last warden of a folder; undefined when it stopped in order, or what it wrote cannot be read. */
export function readRecord(dir: string): WardenRecord | undefined {
  try {
    return WardenRecord.parse(JSON.parse(readFileSync(join(dir, RECORD_FILE), 'utf8')));
  } catch {
    // Written by rename, so never half: unreadable means absent or from another version, and neither names a process of ours.
    return undefined;
  }
}

const GRACE_MS = 5000;
const KILL_MS = 5000;

const gone = (processes: readonly ProcessIdentity[]): boolean => !processes.some(isAlive);

/**
 * Ends what an earlier start in this folder left running. A process is ours only if number, start time and boot all match.
 * @returns how many children had to be ended
 * @throws StackFailure `dir-in-use` when the start that owns the folder is alive
 */
export async function cleanLeftovers(dir: string, signal: AbortSignal): Promise<number> {
  const record = readRecord(dir);
  if (record === undefined) return 0;
  if (isAlive(record.owner)) {
    throw new StackFailure('dir-in-use', `${dir} is in use by process ${record.owner.pid}. Stop that one, or start with another folder.`);
  }
  // A warden whose stack has ended is on its way out and takes its children with it: give it the time.
  await until(async () => !isAlive(record.warden), { what: 'The earlier warden', withinMs: GRACE_MS, everyMs: 50, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error;
      send(record.warden.pid, 'SIGKILL');
    },
  );
  const left = record.children.filter(isAlive);
  for (const child of left) send(-child.pid, 'SIGTERM');
  const waiting = { what: 'The end of an earlier start', everyMs: 50, signal };
  await until(async () => gone(left), { ...waiting, withinMs: GRACE_MS }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    for (const child of left.filter(isAlive)) send(-child.pid, 'SIGKILL');
  });
  await until(async () => gone(left), { ...waiting, withinMs: KILL_MS });
  rmSync(join(dir, RECORD_FILE), { force: true });
  return left.length;
}
