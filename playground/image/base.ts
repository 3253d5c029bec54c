import { chmod, cp, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, runOrFail } from '../cluster/command.ts';
import type { Recipe } from '../cluster/recipes/recipe.ts';
import { imageEnv } from './tools.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The Node of package-lock.json, which is the one that everything is tested with. */
export async function nodeVersion(): Promise<string> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  const version = packages['node_modules/node']?.version;
  if (version === undefined) throw new Error('package-lock.json names no Node.');
  return version;
}

/** The name that the Dockerfile builds upon. */
export async function baseName(): Promise<string> {
  const text = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const name = /^ARG NODE_IMAGE=(\S+)$/m.exec(text)?.[1];
  if (name === undefined) throw new Error('The Dockerfile has no ARG NODE_IMAGE.');
  return name;
}

const NPM = '11.19.1';
const WITHOUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];

/**
 * The file system of a base like the official `node:<major>-slim`: Debian's least, Node in /usr/local, npm. Made of Debian packages and of the npm
 * packages `node-linux-*` and `npm`, because no registry of images is reached from where this is tested.
 */
export function baseRoot(release: string, node: string): Recipe {
  return {
    title: `base of the image (Debian ${release}, Node ${node})`,
    entry: `image-base-${release}-node-${node}-npm-${NPM}`,
    files: ['base.tar'],
    verb: 'made',
    fill: async (staging, kitchen) => {
      const env = imageEnv(kitchen);
      const { signal } = kitchen;
      const tree = join(staging, 'tree');
      const modules = join(tree, 'usr/local/lib/node_modules');
      kitchen.say("unpacking Debian's packages");
      const options = WITHOUT.map((path) => `--dpkgopt=path-exclude=${path}`);
      const args = ['--variant=minbase', '--include=libstdc++6', '--quiet', ...options, release, tree];
      await runOrFail('The base of the image', "Debian's archive", { program: 'mmdebstrap', args, env, signal });
      kitchen.say('adding Node and npm');
      const binary = join(ROOT, `node_modules/node-linux-${process.arch}/bin/node`);
      await cp(binary, join(tree, 'usr/local/bin/node'));
      await chmod(join(tree, 'usr/local/bin/node'), 0o755);
      const install = ['install', '--prefix', join(staging, 'npm'), '--no-audit', '--no-fund', '--no-save', `npm@${NPM}`];
      await runOrFail('npm', 'the npm registry', { program: 'npm', args: install, env, signal, cwd: staging });
      await mkdir(dirname(modules), { recursive: true });
      await cp(join(staging, 'npm/node_modules'), modules, { recursive: true, verbatimSymlinks: true });
      await run({ program: 'ln', args: ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(tree, 'usr/local/bin/npm')], env, signal });
      kitchen.say('packing');
      const tar = ['--numeric-owner', '--one-file-system', '-C', tree, '-cf', join(staging, 'base.tar'), '.'];
      await runOrFail('The base of the image', 'this machine', { program: 'tar', args: tar, env, signal });
      await Promise.all([tree, join(staging, 'npm')].map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}
