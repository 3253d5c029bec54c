import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './failure.ts';
import { identityOf, isAlive, type ProcessIdentity } from './processes.ts';

const POLL_MS = 200;

function parseHolder(text: string): ProcessIdentity | undefined {
  const [pid, startTicks, boot] = text.trim().split(' ');
  if (pid === undefined || startTicks === undefined || boot === undefined) return undefined;
  return { pid: Number(pid), startTicks, boot };
}

async function tryCreate(path: string): Promise<boolean> {
  const self = identityOf(process.pid);
  try {
    await writeFile(path, `${process.pid} ${self?.startTicks} ${self?.boot}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away a lock whose holder has ended. An empty file may be one that is being written: the second look decides. */
async function breakStale(path: string, seen: string | undefined): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const holder = parseHolder(text);
  const stale = holder === undefined ? seen === text : !isAlive(holder);
  if (!stale) return text;
  // Renamed, looked at and only then removed: another that saw the same stale lock may have put its own there meanwhile.
  const aside = `${path}.${process.pid}.stale`;
  const moved = await rename(path, aside).then(
    () => readFile(aside, 'utf8'),
    () => undefined,
  );
  if (moved !== undefined && moved !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return undefined;
}

/**
 * Runs `work` while holding a lock file that names its holder; the lock of a holder that ended is taken over.
 * Should two ever hold it (the file was moved by hand), they do the same work twice: what is guarded is renamed into place whole.
 * @throws the signal's reason when aborted while waiting
 */
export async function withLock<T>(
  path: string,
  options: { readonly signal: AbortSignal; readonly waiting: () => void },
  work: () => Promise<T>,
): Promise<T> {
  let seen: string | undefined;
  let told = false;
  while (!(await tryCreate(path))) {
    options.signal.throwIfAborted();
    seen = await breakStale(path, seen);
    if (seen === undefined) continue;
    if (!told) options.waiting();
    told = true;
    await sleep(POLL_MS, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
