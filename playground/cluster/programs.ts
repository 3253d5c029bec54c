import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Env } from './cache.ts';

/** Whether a path is a file that may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Absent and not executable mean the same here: not a program to run.
    return false;
  }
}

/** First executable of that name in the environment's PATH. */
export function inPath(name: string, env: Env): string | undefined {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * The same command, tied to its parent: the kernel kills it when the parent ends, however that happens (prctl(2), PR_SET_PDEATHSIG).
 * Without `setpriv` in PATH the command is given back as it is.
 */
export function tethered(
  program: string,
  args: readonly string[],
  env: Env,
): { readonly program: string; readonly args: readonly string[] } {
  const setpriv = inPath('setpriv', env);
  return setpriv === undefined ? { program, args } : { program: setpriv, args: ['--pdeathsig', 'KILL', '--', program, ...args] };
}
