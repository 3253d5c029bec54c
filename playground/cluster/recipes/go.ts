import type { Env } from '../cache.ts';
import { commandFailure, run, runOrFail } from '../command.ts';
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
export const requireGo = async (kitchen: Pick<Kitchen, 'env' | 'signal'>): Promise<void> => {
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
};

/** A line of the Go command, for the ticks. */
export const goLine = (line: string): string => (line.startsWith('go: downloading') ? line.slice('go: '.length) : 'compiling');

export const go = async (
  what: string,
  args: readonly string[],
  kitchen: Kitchen,
  extra: { readonly cwd?: string; readonly env?: Env } = {},
) =>
  runOrFail(what, PROXY, {
    program: 'go',
    args,
    env: { ...goEnv(kitchen.env), ...extra.env },
    signal: kitchen.signal,
    say: (line) => kitchen.say(goLine(line)),
    ...(extra.cwd === undefined ? {} : { cwd: extra.cwd }),
  });

/** Without these a client cannot parse what /version answers. */
export const versionFlags = (version: string): string => {
  const [major, minor] = version.split('.');
  const names = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  return Object.entries(names)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
};

export const buildArgs = (output: string, flags: string, target: string): readonly string[] => [
  'build',
  '-trimpath',
  '-buildvcs=false',
  '-mod=readonly',
  '-ldflags',
  `-s -w ${flags}`.trim(),
  '-o',
  output,
  target,
];

export const kubeApiserver: Recipe = {
  title: `kube-apiserver ${VERSIONS.kubernetes}`,
  entry: `kube-apiserver-${VERSIONS.kubernetes}`,
  files: ['kube-apiserver'],
  verb: 'built',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    const args = buildArgs(`${staging}/kube-apiserver`, versionFlags(VERSIONS.kubernetes), 'k8s.io/kubernetes/cmd/kube-apiserver');
    await go('kube-apiserver', args, kitchen, { cwd: TOOLS_DIR });
  },
};

export const etcd: Recipe = {
  title: `etcd ${VERSIONS.etcd}`,
  entry: `etcd-${VERSIONS.etcd}`,
  files: ['etcd'],
  verb: 'built',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    await go('etcd', buildArgs(`${staging}/etcd`, '', './etcd'), kitchen, { cwd: TOOLS_DIR });
  },
};

export const temporal: Recipe = {
  title: `temporal ${VERSIONS.temporal}`,
  entry: `temporal-${VERSIONS.temporal}`,
  files: ['temporal'],
  verb: 'built',
  fill: async (staging, kitchen) => {
    await requireGo(kitchen);
    const target = `github.com/temporalio/cli/cmd/temporal@v${VERSIONS.temporal}`;
    await go('temporal', ['install', '-trimpath', '-ldflags', '-s -w', target], kitchen, { cwd: staging, env: { GOBIN: staging } });
  },
};
