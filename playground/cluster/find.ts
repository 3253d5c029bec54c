import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from './cache.ts';
import { run } from './command.ts';
import { StackFailure } from './failure.ts';
import { inPath, isExecutable } from './programs.ts';
import { atLeast, type BinaryName, OLDEST, versionIn } from './versions.ts';

/** A program that was there already. */
export type Found = { readonly path: string; readonly from: 'environment' | 'PATH' | 'envtest'; readonly version: string | undefined };

/** What the lookup gives: a program, or nothing with the reasons why a candidate was passed over. */
export type Lookup = { readonly found: Found | undefined; readonly passedOver: string | undefined };

/** Variables that name a binary, in the order asked. A variable of a folder holds the binary under its own name. */
const VARIABLES: Readonly<Record<BinaryName, readonly { readonly variable: string; readonly folder: boolean }[]>> = {
  'kube-apiserver': [
    { variable: 'TEST_ASSET_KUBE_APISERVER', folder: false },
    { variable: 'KUBEBUILDER_ASSETS', folder: true },
  ],
  etcd: [
    { variable: 'TEST_ASSET_ETCD', folder: false },
    { variable: 'KUBEBUILDER_ASSETS', folder: true },
  ],
  temporal: [{ variable: 'TEMPORAL_CLI', folder: false }],
  envoy: [{ variable: 'ENVOY', folder: false }],
  prometheus: [{ variable: 'PROMETHEUS', folder: false }],
  promtool: [{ variable: 'PROMTOOL', folder: false }],
  chromium: [{ variable: 'CHROMIUM', folder: false }],
  helm: [{ variable: 'HELM', folder: false }],
  kubectl: [
    { variable: 'TEST_ASSET_KUBECTL', folder: false },
    { variable: 'KUBEBUILDER_ASSETS', folder: true },
  ],
};

const PATH_NAMES: Readonly<Partial<Record<BinaryName, readonly string[]>>> = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
};

/** How a program is asked for its version, where that is not `--version`. */
const VERSION_WORDS: Readonly<Partial<Record<BinaryName, readonly string[]>>> = {
  helm: ['version', '--short'],
  kubectl: ['version', '--client'],
};

/** Folders of the tools for API servers in tests (envtest, kubebuilder), newest version first. */
function envtestFolders(env: Env): readonly string[] {
  const data = env['XDG_DATA_HOME'] || join(env['HOME'] ?? '/nonexistent', '.local/share');
  const versions = join(data, 'kubebuilder-envtest/k8s');
  const numbers = (name: string): readonly number[] => (versionIn(name) ?? '0').split('.').map(Number);
  const newest = (a: string, b: string): number => {
    const [mine, theirs] = [numbers(a), numbers(b)];
    return [0, 1, 2].map((index) => (theirs[index] ?? 0) - (mine[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
  };
  const found = existsSync(versions) ? readdirSync(versions).toSorted(newest) : [];
  return [...found.map((name) => join(versions, name)), '/usr/local/kubebuilder/bin'];
}

const ENVTEST: ReadonlySet<BinaryName> = new Set(['kube-apiserver', 'etcd', 'kubectl']);

function fromEnvironment(name: BinaryName, env: Env): string | undefined {
  for (const { variable, folder } of VARIABLES[name]) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    const path = folder ? join(value, name) : value;
    if (isExecutable(path)) return path;
    throw new StackFailure(
      'not-found',
      `${variable} is set, but there is no program at ${path}. Correct the variable or unset it, then start again.`,
    );
  }
  return undefined;
}

async function versionOf(name: BinaryName, path: string, env: Env, signal: AbortSignal): Promise<string | undefined> {
  const result = await run({ program: path, args: VERSION_WORDS[name] ?? ['--version'], env, signal });
  return result.code === 0 ? versionIn(`${result.stdout}\n${result.tail}`) : undefined;
}

/**
 * Looks for a program where the person may have put it: the environment first (trusted whatever its version), then PATH
 * and the folders of envtest (taken when it says a version that is new enough).
 * @throws StackFailure `not-found` when a variable names something that is not a program
 */
export async function lookUp(name: BinaryName, env: Env, signal: AbortSignal): Promise<Lookup> {
  const given = fromEnvironment(name, env);
  if (given !== undefined) {
    return { found: { path: given, from: 'environment', version: await versionOf(name, given, env, signal) }, passedOver: undefined };
  }
  const inPaths = (PATH_NAMES[name] ?? [name]).map((candidate) => inPath(candidate, env)).filter((candidate) => candidate !== undefined);
  const folders = ENVTEST.has(name)
    ? envtestFolders(env)
        .map((folder) => join(folder, name))
        .filter(isExecutable)
    : [];
  let passedOver: string | undefined;
  for (const path of [...inPaths.slice(0, 1), ...folders]) {
    const version = await versionOf(name, path, env, signal);
    const from = folders.includes(path) ? 'envtest' : 'PATH';
    if (version !== undefined && atLeast(version, OLDEST[name])) return { found: { path, from, version }, passedOver: undefined };
    const why = version === undefined ? 'does not say its version' : `is ${version}, older than ${OLDEST[name]}`;
    passedOver ??= `${path} ${why} and is passed over`;
  }
  return { found: undefined, passedOver };
}
