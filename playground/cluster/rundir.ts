import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot, type Env } from './cache.ts';
import { StackFailure } from './failure.ts';
import { cleanLeftovers } from './leftovers.ts';
import { identityOf } from './processes.ts';

const runsFolder = (env: Env): string => join(cacheRoot(env), 'runs');

/** A new run folder, named after the process that owns it (number and start time). */
export function makeRunDir(env: Env): string {
  mkdirSync(runsFolder(env), { recursive: true });
  return mkdtempSync(join(runsFolder(env), `${process.pid}-${identityOf(process.pid)?.startTicks}-`));
}

function ownerIsAlive(name: string): boolean {
  const [pid, startTicks] = name.split('-');
  return identityOf(Number(pid))?.startTicks === startTicks;
}

/**
 * Ends and removes what earlier starts left behind: run folders whose owner has ended.
 * @returns how many processes had to be ended
 */
export async function sweepRuns(env: Env, signal: AbortSignal): Promise<number> {
  mkdirSync(runsFolder(env), { recursive: true });
  let ended = 0;
  for (const name of readdirSync(runsFolder(env))) {
    if (ownerIsAlive(name)) continue;
    const dir = join(runsFolder(env), name);
    try {
      ended += await cleanLeftovers(dir, signal);
    } catch (error) {
      // The name is a cheap first look; the record inside is the truth about who owns the folder.
      if (error instanceof StackFailure && error.type === 'dir-in-use') continue;
      throw error;
    }
    rmSync(dir, { recursive: true, force: true });
  }
  return ended;
}
