import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lookUp } from '../../../playground/cluster/find.ts';
import { inPath } from '../../../playground/cluster/programs.ts';
import { atLeast, versionIn } from '../../../playground/cluster/versions.ts';
import { never, programs, scratch, script } from './scratch.ts';

test('a program named by the environment comes before one in PATH, whatever its version', async () => {
  const dir = scratch();
  const path = programs(join(dir, 'path'), { envoy: 'echo envoy version: 1.99.0' });
  const given = script(join(dir, 'mine'), 'echo 0.1.0');
  const { found } = await lookUp('envoy', { ENVOY: given, PATH: path }, never);
  expect(found).toEqual({ path: given, from: 'environment', version: '0.1.0' });
});

test('KUBEBUILDER_ASSETS is a folder that holds the API server and etcd', async () => {
  const assets = programs(scratch(), { 'kube-apiserver': 'echo Kubernetes v1.36.3', etcd: 'echo etcd Version: 3.6.8' });
  const env = { KUBEBUILDER_ASSETS: assets, PATH: '' };
  expect((await lookUp('kube-apiserver', env, never)).found).toMatchObject({ path: join(assets, 'kube-apiserver'), version: '1.36.3' });
  expect((await lookUp('etcd', env, never)).found).toMatchObject({ path: join(assets, 'etcd'), version: '3.6.8' });
});

test('a variable that names nothing is an error, not a reason to look elsewhere', async () => {
  const path = programs(scratch(), { temporal: 'echo 1.5.1' });
  const lookup = lookUp('temporal', { TEMPORAL_CLI: '/nowhere/temporal', PATH: path }, never);
  await expect(lookup).rejects.toMatchObject({
    type: 'not-found',
    message: expect.stringContaining('TEMPORAL_CLI is set, but there is no program at /nowhere/temporal'),
  });
});

test('a program in PATH is taken when it is new enough', async () => {
  const path = programs(scratch(), { temporal: 'echo temporal version 1.5.1 "(Server 1.29.1)"' });
  expect((await lookUp('temporal', { PATH: path }, never)).found).toEqual({ path: join(path, 'temporal'), from: 'PATH', version: '1.5.1' });
});

test.each([
  ['too old', 'echo temporal version 0.13.2', 'is 0.13.2, older than 1.3.0'],
  ['one that does not answer', 'exit 3', 'does not say its version'],
])('a program in PATH that is %s is passed over, and it says so', async (_case, body, why) => {
  const path = programs(scratch(), { temporal: body });
  const lookup = await lookUp('temporal', { PATH: path }, never);
  expect(lookup.found).toBeUndefined();
  expect(lookup.passedOver).toContain(why);
});

test('the browser may go by several names', async () => {
  const path = programs(scratch(), { 'google-chrome': 'echo Google Chrome 156.0.1' });
  expect((await lookUp('chromium', { PATH: path }, never)).found?.path).toBe(join(path, 'google-chrome'));
});

test('PATH is asked in order, and empty parts of it are not the current folder', () => {
  const dir = scratch();
  const first = programs(join(dir, 'a'), { etcd: '' });
  const second = programs(join(dir, 'b'), { etcd: '' });
  expect(inPath('etcd', { PATH: `:${first}:${second}` })).toBe(join(first, 'etcd'));
  expect(inPath('find.test.ts', { PATH: ':' })).toBeUndefined();
});

test('versions are compared by number, not by letter', () => {
  expect(versionIn('kube: v1.36.3-dirty')).toBe('1.36.3');
  expect(atLeast('1.26.8', '1.26.0')).toBe(true);
  expect(atLeast('1.9.9', '1.26.0')).toBe(false);
  expect(atLeast('2.0', '1.26.0')).toBe(true);
  expect(atLeast('1.26', '1.26.0')).toBe(true);
});

test("envtest's folder is looked into after PATH, the newest version first", async () => {
  const home = scratch();
  const versions = join(home, '.local/share/kubebuilder-envtest/k8s');
  programs(join(versions, '1.9.0-linux-amd64'), { etcd: 'echo etcd Version: 3.1.0' });
  programs(join(versions, '1.34.1-linux-amd64'), { etcd: 'echo etcd Version: 3.6.4' });
  programs(join(versions, '1.36.0-linux-amd64'), { etcd: 'echo etcd Version: 3.6.8' });
  const path = programs(join(home, 'path'), { etcd: 'echo etcd Version: 3.2.0' });
  const newest = join(versions, '1.36.0-linux-amd64/etcd');
  expect((await lookUp('etcd', { HOME: home, PATH: path }, never)).found).toEqual({ path: newest, from: 'envtest', version: '3.6.8' });
  const inPathToo = programs(join(home, 'new'), { etcd: 'echo etcd Version: 3.5.9' });
  expect((await lookUp('etcd', { HOME: home, PATH: inPathToo }, never)).found).toMatchObject({ from: 'PATH', version: '3.5.9' });
  expect((await lookUp('temporal', { HOME: home, PATH: '' }, never)).found).toBeUndefined();
});
