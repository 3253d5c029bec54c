import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot, fillOnce } from '../cluster/cache.ts';
import { type CommandResult, commandFailure, run } from '../cluster/command.ts';
import { supportedPlatform } from '../cluster/platform.ts';
import { baseName, baseRoot, nodeVersion } from './base.ts';
import { imageEnv, type Machine } from './tools.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** An image in a storage of its own, under `dir`. */
export interface Image {
  readonly name: string;
  /** Bytes of its file system. */
  readonly bytes: number;
  /** As it is configured: user, entry point, … */
  readonly config: ImageConfig;
  /** Milliseconds by step. */
  readonly times: Readonly<Record<'base' | 'build' | 'unpack', number>>;
  /** Its file system, unpacked. */
  readonly root: string;
  /** Unmounts what is left and removes the storage. */
  close(): Promise<void>;
}

export interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** Files of this machine that the build may read: its own authorities, and npm's cache, so that what is there is not fetched again. */
async function mounts(dir: string, machine: Machine): Promise<readonly string[]> {
  const { env, signal } = machine;
  const cafile = env['NODE_EXTRA_CA_CERTS'];
  const cache = await run({ program: 'npm', args: ['config', 'get', 'cache'], env, signal, cwd: ROOT });
  const npm = join(dir, 'npmrc');
  await writeFile(npm, `update-notifier=false\n${cafile ? 'cafile=/etc/meshops-build/ca.crt\n' : ''}`);
  const found = [
    `${npm}:/root/.npmrc:ro`,
    ...(cafile && existsSync(cafile) ? [`${cafile}:/etc/meshops-build/ca.crt:ro`] : []),
    ...(cache.code === 0 && existsSync(cache.stdout.trim()) ? [`${cache.stdout.trim()}:/root/.npm`] : []),
  ];
  return found.flatMap((one) => ['--volume', one]);
}

/** Unmounts and removes a storage, also after a build that was cut short. */
async function removeStorage(dir: string, machine: Machine): Promise<void> {
  const command = { env: imageEnv(machine), signal: AbortSignal.timeout(60_000) };
  const storage = ['--root', join(dir, 'storage'), '--runroot', join(dir, 'run')];
  await run({ ...command, program: 'buildah', args: [...storage, 'rm', '--all'] });
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.filter((one) => one.startsWith(`${dir}/`)).toReversed())
    await run({ ...command, program: 'umount', args: [path] });
  await rm(dir, { recursive: true, force: true });
}

/** Builds the Dockerfile by buildah upon a base that is made here. Rejects with buildah's last words. */
export async function buildImage(dir: string, version: string, release: string, machine: Machine): Promise<Image> {
  try {
    const image = await build(dir, version, release, machine);
    return { ...image, close: () => removeStorage(dir, machine) };
  } catch (error) {
    await removeStorage(dir, machine);
    throw error;
  }
}

async function build(dir: string, version: string, release: string, machine: Machine): Promise<Omit<Image, 'close'>> {
  const { env, signal, say } = machine;
  const buildah = async (args: readonly string[]): Promise<CommandResult> => {
    const storage = ['--root', join(dir, 'storage'), '--runroot', join(dir, 'run')];
    const result = await run({ program: 'buildah', args: [...storage, ...args], env: imageEnv(machine), signal, cwd: ROOT, say });
    if (result.code !== 0) throw commandFailure(`The image (buildah ${args[0]})`, 'the npm registry', result);
    return result;
  };
  const times = { base: 0, build: 0, unpack: 0 };
  const timed = async <T>(step: keyof typeof times, work: () => Promise<T>): Promise<T> => {
    const begun = Date.now();
    const value = await work();
    times[step] += Date.now() - begun;
    return value;
  };
  await mkdir(dir, { recursive: true });
  await timed('base', async () => {
    const recipe = baseRoot(release, await nodeVersion());
    const kitchen = { env, signal, say, platform: supportedPlatform(process.platform, process.arch) };
    const entry = { root: cacheRoot(env), name: recipe.entry, files: recipe.files };
    const { folder } = await fillOnce(entry, (staging) => recipe.fill(staging, kitchen), { signal, waiting: () => undefined });
    const container = (await buildah(['from', '--name', 'base', 'scratch'])).stdout.trim();
    await buildah(['add', '--quiet', container, join(folder, 'base.tar'), '/']);
    await buildah(['config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', container]);
    await buildah(['commit', '--quiet', '--rm', container, `docker.io/library/${await baseName()}`]);
  });
  const name = `localhost/meshops:${version}`;
  await timed('build', async () => {
    const args = ['--pull-never', '--format', 'oci', '--build-arg', `VERSION=${version}`, ...(await mounts(dir, machine)), '-t', name, '.'];
    await buildah(['build', ...args]);
  });
  const root = await timed('unpack', async () => {
    const container = (await buildah(['from', '--pull-never', name])).stdout.trim();
    return (await buildah(['mount', container])).stdout.trim();
  });
  const inspected = JSON.parse((await buildah(['inspect', '--type', 'image', name])).stdout) as {
    readonly OCIv1: { readonly config: ImageConfig };
  };
  const bytes = await sizeOf(root, machine);
  return { name, bytes, config: inspected.OCIv1.config, times, root };
}

/** Bytes of a folder. */
export async function sizeOf(path: string, { env, signal }: Pick<Machine, 'env' | 'signal'>): Promise<number> {
  const { stdout } = await run({ program: 'du', args: ['-sxb', path], env, signal });
  return Number(stdout.split('\t')[0]);
}

/** The software of the image as CycloneDX, which lies in it: written by `npm sbom` while it was built. */
export const sbomOf = ({ root }: Pick<Image, 'root'>): Promise<string> => readFile(join(root, 'app/sbom.json'), 'utf8');

/** The version that the package has. */
export async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  return version;
}
