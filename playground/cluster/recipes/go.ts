import { join } from 'node:path';
import type { Env } from '../cache.ts';
import { commandFailure, run } from '../command.ts';
import { compile } from '../compile.ts';
import { StackFailure } from '../failure.ts';
import { atLeast, TOOLS_DIR, VERSIONS, versionIn } from '../versions.ts';
import type { Kitchen, Recipe } from './recipe.ts';

export const PROXY = 'the Go module proxy';
const GET_GO = `Install Go ${VERSIONS.go} or later (https://go.dev/doc/install), or set KUBEBUILDER_ASSETS and TEMPORAL_CLI to binaries that you have, then start again.`;

/** A person's own flags and workspaces must not change what is built. */
export const goEnv = (env: Env): Env => ({ ...env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'on' });

/**
 * @throws StackFailure `missing-tool` without Go, `tool-too-old` when the Go that a build here would use is older than needed
 */
export async function requireGo(kitchen: Pick<Kitchen, 'env' | 'signal'>): Promise<void> {
  // Asked inside the tools module: with GOTOOLCHAIN=auto Go fetches the toolchain that go.mod names and answers with that one.
  const command = { program: 'go', args: ['env', 'GOVERSION'], env: goEnv(kitchen.env), signal: kitchen.signal, cwd: TOOLS_DIR };
  const result = await run(command);
  if (result.code === 'missing')
    throw new StackFailure('missing-tool', `Go is not installed, and the API server is built with it. ${GET_GO}`);
  const version = versionIn(result.code === 0 ? result.stdout : (/running go ([\d.]+)/.exec(result.tail)?.[1] ?? ''));
  if (version !== undefined && !atLeast(version, VERSIONS.go)) {
    throw new StackFailure(
      'tool-too-old',
      `Go ${version} is installed, and the API server needs ${VERSIONS.go} or later to build. ${GET_GO}`,
    );
  }
  if (result.code !== 0) throw commandFailure('The Go toolchain', PROXY, result);
}

/** Without these a client cannot parse what /version answers. */
export function versionFlags(version: string): string {
  const [major, minor] = version.split('.');
  const names = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  return Object.entries(names)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

/** Builds `target` of a module of playground/tools into the staging folder. */
export async function built(
  kitchen: Kitchen,
  staging: string,
  build: { readonly name: string; readonly module: string; readonly target: string; readonly ldflags?: string },
): Promise<void> {
  await requireGo(kitchen);
  const { name, module, target, ldflags } = build;
  const { env, signal, say } = kitchen;
  const flags = ldflags === undefined ? {} : { ldflags };
  await compile({ what: name, cwd: join(TOOLS_DIR, module), target, output: join(staging, name), ...flags, env: goEnv(env), signal, say });
}

export const kubeApiserver: Recipe = {
  title: `kube-apiserver ${VERSIONS.kubernetes}`,
  entry: `kube-apiserver-${VERSIONS.kubernetes}`,
  files: ['kube-apiserver'],
  verb: 'built',
  fill: (staging, kitchen) => {
    const ldflags = versionFlags(VERSIONS.kubernetes);
    return built(kitchen, staging, { name: 'kube-apiserver', module: '.', target: 'k8s.io/kubernetes/cmd/kube-apiserver', ldflags });
  },
};

export const etcd: Recipe = {
  title: `etcd ${VERSIONS.etcd}`,
  entry: `etcd-${VERSIONS.etcd}`,
  files: ['etcd'],
  verb: 'built',
  fill: (staging, kitchen) => built(kitchen, staging, { name: 'etcd', module: '.', target: './etcd' }),
};

export const temporal: Recipe = {
  title: `temporal ${VERSIONS.temporal}`,
  entry: `temporal-${VERSIONS.temporal}`,
  files: ['temporal'],
  verb: 'built',
  fill: (staging, kitchen) =>
    built(kitchen, staging, { name: 'temporal', module: 'temporal', target: 'github.com/temporalio/cli/cmd/temporal' }),
};
