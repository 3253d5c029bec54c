import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';

/** Environment variables as a plain record, so that nothing below main reads `process.env`. */
export type Env = Readonly<Record<string, string | undefined>>;

/** `${MESHOPS_CACHE:-${XDG_CACHE_HOME:-~/.cache}}/meshops`. An empty variable counts as unset. */
export function cacheRoot(env: Env): string {
  return join(env['MESHOPS_CACHE'] || env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'meshops');
}

/** One folder of the cache: complete or absent, never half. */
export type CacheEntry = {
  readonly root: string;
  /** `<name>-<version>` */
  readonly name: string;
  /** Paths inside the entry that must exist; if one was deleted, the entry is made anew. */
  readonly files: readonly string[];
};

/** The entry's folder if it is complete. */
export function cached(entry: CacheEntry): string | undefined {
  const folder = join(entry.root, entry.name);
  return entry.files.every((file) => existsSync(join(folder, file))) ? folder : undefined;
}

const stagingPrefix = (entry: CacheEntry): string => `.${entry.name}.part-`;

async function removeLeftovers(entry: CacheEntry): Promise<void> {
  const names = await readdir(entry.root);
  const leftovers = names.filter((name) => name.startsWith(stagingPrefix(entry)));
  await Promise.all([entry.name, ...leftovers].map((name) => rm(join(entry.root, name), { recursive: true, force: true })));
}

/**
 * The entry's folder, filled by `fill` when it is not complete. `fill` works in a folder of its own which is renamed when it is
 * done, so a start that is cut short leaves nothing that looks finished; one start at a time fills an entry, others wait for it.
 * @param waiting told once when another process holds the entry
 */
export async function fillOnce(
  entry: CacheEntry,
  fill: (staging: string) => Promise<void>,
  options: { readonly signal: AbortSignal; readonly waiting: () => void },
): Promise<{ readonly folder: string; readonly filled: boolean }> {
  const ready = cached(entry);
  if (ready !== undefined) return { folder: ready, filled: false };
  await mkdir(entry.root, { recursive: true });
  return withLock(join(entry.root, `.${entry.name}.lock`), options, async () => {
    const meanwhile = cached(entry);
    if (meanwhile !== undefined) return { folder: meanwhile, filled: false };
    await removeLeftovers(entry);
    const staging = join(entry.root, `${stagingPrefix(entry)}${process.pid}`);
    await mkdir(staging);
    try {
      await fill(staging);
      await rename(staging, join(entry.root, entry.name));
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
    const folder = cached(entry);
    if (folder === undefined) throw new Error(`Filling ${entry.name} did not give ${entry.files.join(', ')}.`);
    return { folder, filled: true };
  });
}
