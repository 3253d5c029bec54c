import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../cluster/cache.ts';
import { identityOf, send } from '../cluster/processes.ts';
import { cgroupMount } from './able.ts';
import { DOOR, DOOR_FD, type Door, openDoor } from './door.ts';

/**
 * The world of real nodes: process, mount, network and cgroup namespaces of their own, with everything in them: the stack, the product, the
 * agents. Nothing is attached to the machine's own ones, and the kernel takes all of it away with the first process in it, however that ends.
 * Only the cgroup is a folder of the machine; a process that waits for our end removes it.
 */
const PREFIX = 'meshops-real-';

/** Set for everything inside. */
export const INSIDE = 'MESHOPS_REAL_INSIDE';

export const isInside = (env: Env): boolean => env[INSIDE] === '1';

/**
 * Runs a command as the first process of such a world and resolves with its exit code; our own SIGINT and SIGTERM are passed on to it.
 * Call it only where `whyNotReal` has nothing to say. `pagePort`: what is inside is given a socket that listens there (`pageDoor`).
 */
export async function enter(command: readonly string[], env: Env, pagePort?: number): Promise<number> {
  const mount = cgroupMount();
  if (mount === undefined) throw new Error('cgroup v2 is not mounted here, so real nodes cannot be started.');
  sweepCgroups(mount);
  const door = pagePort === undefined ? undefined : await openDoor(pagePort);
  const cgroup = join(mount, `${PREFIX}${process.pid}-${identityOf(process.pid)?.startTicks}`);
  mkdirSync(cgroup);
  const janitor = removeAfterUs(cgroup);
  try {
    const child = spawnInside(cgroup, command, env, door);
    door?.close();
    return await exitOf(child);
  } finally {
    janitor.stdin?.end();
    await exitOf(janitor);
  }
}

function spawnInside(cgroup: string, command: readonly string[], env: Env, door: Door | undefined): ChildProcess {
  const join = 'echo $$ > "$1"/cgroup.procs && shift && exec "$@"';
  const unshare = ['unshare', '--fork', '--kill-child', '--pid', '--mount-proc', '--mount', '--net', '--cgroup', '--'];
  // Killed with us, and what it holds with it. A group of its own, so that a terminal's Ctrl-C comes once, from here.
  const args = ['--pdeathsig', 'KILL', '--', 'sh', '-c', join, 'sh', cgroup, ...unshare, ...command];
  const inherited = door === undefined ? [] : [door.fd];
  const child = spawn('setpriv', args, {
    stdio: ['inherit', 'inherit', 'inherit', ...inherited],
    detached: true,
    env: { ...env, [INSIDE]: '1', ...(door && { [DOOR]: String(DOOR_FD) }) },
  });
  let told = false;
  const passOn = (signal: NodeJS.Signals): void => {
    // unshare itself waits for its child whatever comes; the second time nothing is waited for.
    if (child.pid !== undefined) send(-child.pid, told ? 'SIGKILL' : signal);
    told = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, passOn);
  child.once('exit', () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, passOn);
  });
  return child;
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** Waits, in a session of its own, until our end of its pipe is closed, then removes the cgroup as soon as its last process is gone. */
function removeAfterUs(cgroup: string): ChildProcess {
  const script = [
    'read -r _',
    'tries=0',
    'while [ -d "$1" ] && [ $tries -lt 200 ]; do find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; sleep 0.05; tries=$((tries + 1)); done',
  ].join('; ');
  return spawn('sh', ['-c', script, 'sh', cgroup], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}

/** Removes the cgroups whose owner has ended: what is left if the janitor itself was killed. */
function sweepCgroups(mount: string): void {
  for (const name of readdirSync(mount).filter((each) => each.startsWith(PREFIX))) {
    const [pid, startTicks] = name.slice(PREFIX.length).split('-');
    if (identityOf(Number(pid))?.startTicks === startTicks) continue;
    removeTree(join(mount, name));
  }
}

function removeTree(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Processes in it are on their way out, or their janitor was quicker.
  }
}

/** The folder that is this world's own cgroup, once its cgroup v2 is mounted there. */
export const OWN_CGROUP = '/run/cgroup';

/** Puts the calling process into a group below the world's own; for scripts: `echo $$ > <path>`. */
export const cgroupProcs = (name: string): string => join(OWN_CGROUP, name, 'cgroup.procs');

/** A group below the world's own. */
export function makeCgroup(name: string): void {
  mkdirSync(join(OWN_CGROUP, name), { recursive: true });
}
