import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, run } from '../cluster/command.ts';
import type { Image } from './build.ts';
import { imageEnv, type Machine } from './tools.ts';

/** What a pod's `securityContext` says, as a container runtime is told it. */
export interface Confinement {
  readonly uid: number;
  readonly gid: number;
  readonly readOnlyRootFilesystem: boolean;
  readonly allowPrivilegeEscalation: boolean;
  /** Capabilities that are kept; `[]`: all are dropped. */
  readonly capabilities: readonly string[];
}

export interface Mount {
  readonly from: string;
  readonly to: string;
}

export interface RunOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly confinement: Confinement;
  /** Read-only files and folders of this machine. */
  readonly mounts: readonly Mount[];
}

const CAPABILITY_SETS = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;
// What is neither of the machine nor shared with it. The network is the machine's: what the image connects to listens on loopback.
const NAMESPACES = ['pid', 'ipc', 'uts', 'mount'] as const;
const KERNEL = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777', 'size=268435456'] },
];

function specOf(image: Image, { args, env, confinement, mounts }: RunOptions): object {
  const { config, root } = image;
  const bind = ({ from, to }: Mount) => ({ destination: to, type: 'bind', source: from, options: ['rbind', 'ro'] });
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: confinement.uid, gid: confinement.gid },
      args: [...config.Entrypoint, ...args],
      env: [...config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      cwd: config.WorkingDir,
      noNewPrivileges: !confinement.allowPrivilegeEscalation,
      capabilities: Object.fromEntries(CAPABILITY_SETS.map((set) => [set, confinement.capabilities])),
    },
    root: { path: root, readonly: confinement.readOnlyRootFilesystem },
    hostname: 'meshops',
    mounts: [...KERNEL, ...mounts.map(bind)],
    linux: { namespaces: NAMESPACES.map((type) => ({ type })) },
  };
}

/** Runs the image to its end by runc, the runtime below containerd and CRI-O, confined as said. `dir`: a folder of its own. */
export async function runImage(
  image: Image,
  options: RunOptions,
  dir: string,
  machine: Pick<Machine, 'env' | 'signal'>,
): Promise<CommandResult> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'config.json'), JSON.stringify(specOf(image, options)));
  const id = `meshops-${process.pid}-${Date.now()}`;
  const env = imageEnv(machine);
  const runc = (signal: AbortSignal, ...args: readonly string[]) =>
    run({ program: 'runc', args: ['--root', join(dir, 'runc'), ...args], env, signal });
  try {
    return await runc(machine.signal, 'run', '--bundle', dir, id);
  } finally {
    // Where the wait was cut short the container goes on by itself; one that has ended is gone already.
    await runc(AbortSignal.timeout(10_000), 'delete', '--force', id);
  }
}
