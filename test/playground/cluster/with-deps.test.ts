import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { identityOf, isAlive } from '../../../playground/cluster/processes.ts';
import { until } from '../../../playground/cluster/waiting.ts';
import { never, programs, scratch, script } from './scratch.ts';

const LOCK = {
  packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/other-platform': { version: '1.0.0', optional: true } },
};
const INSTALLED = { packages: { 'node_modules/a': { version: '1.0.0' } } };

/** A checkout with a lock file and a fake npm that does what `npm` says; node_modules holds this test's own Node. */
function checkout(npm: string, installed?: object) {
  const root = scratch();
  mkdirSync(join(root, 'playground'));
  copyFileSync(fileURLToPath(new URL('../../../playground/with-deps.mjs', import.meta.url)), join(root, 'playground/with-deps.mjs'));
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK));
  writeFileSync(join(root, 'wanted.json'), JSON.stringify(INSTALLED));
  script(join(root, 'node_modules/.bin/node'), `exec ${process.execPath} "$@"`);
  if (installed !== undefined) writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify(installed));
  const bin = programs(join(root, 'bin'), { npm: `echo "$@" >> npm-calls; ${npm}` });
  writeFileSync(
    join(root, 'main.ts'),
    'const words: string[] = process.argv.slice(2); console.log(words.join("+"), process.env.PATH); process.exitCode = 7;',
  );
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: root };
  return {
    root,
    env,
    run: () => spawnSync(process.execPath, [join(root, 'playground/with-deps.mjs'), 'main.ts', 'a', 'b'], { env, encoding: 'utf8' }),
  };
}

function npmCalls(root: string): number {
  return existsSync(join(root, 'npm-calls')) ? readFileSync(join(root, 'npm-calls'), 'utf8').trim().split('\n').length : 0;
}
const INSTALL = 'cp wanted.json node_modules/.package-lock.json';

test('with the packages there, the script runs at once with its arguments, the right PATH and its exit code', () => {
  const { root, run } = checkout('exit 1', INSTALLED);
  const result = run();
  expect(result.stderr).toBe('');
  expect(result.stdout).toMatch(new RegExp(`^a\\+b ${root}/node_modules/.bin:`));
  expect(result.status).toBe(7);
  expect(npmCalls(root)).toBe(0);
});

test.each([
  ['absent', undefined],
  ['of another version', { packages: { 'node_modules/a': { version: '0.9.0' } } }],
])('packages that are %s are installed once', (_case, installed) => {
  const { root, run } = checkout(INSTALL, installed);
  expect(run()).toMatchObject({ status: 7, stderr: expect.stringContaining('✓ npm packages installed') });
  expect(run().status).toBe(7);
  expect(npmCalls(root)).toBe(1);
});

test('without network the person is told so and nothing is started', () => {
  const { run } = checkout('echo "npm error code ENOTFOUND" >&2; exit 1');
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('the npm registry cannot be reached from here') });
});

test('an installation that does not match the lock is not used', () => {
  const { run } = checkout('exit 0');
  expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('differ from package-lock.json') });
});

test('two at once install once', async () => {
  const { root, env } = checkout(`sleep 0.5; ${INSTALL}`);
  const runs = [1, 2].map(
    () =>
      new Promise((resolve) => {
        spawn(process.execPath, [join(root, 'playground/with-deps.mjs'), 'main.ts'], { env, stdio: 'ignore' }).once('exit', resolve);
      }),
  );
  expect(await Promise.all(runs)).toEqual([7, 7]);
  expect(npmCalls(root)).toBe(1);
});

test('a lock left by a killed installation does not hold', () => {
  const { root, run } = checkout(INSTALL);
  mkdirSync(join(root, '.playground'));
  writeFileSync(join(root, '.playground/npm.lock'), '999999');
  expect(run().status).toBe(7);
});

test.each([
  ['SIGINT', 'heard SIGINT'],
  ['SIGTERM', 'heard SIGTERM'],
  ['SIGKILL', 'heard SIGTERM'],
] as const)('a script hears of %s and may end in order', async (signal, heard) => {
  const { root, env } = checkout('exit 1', INSTALLED);
  const tell = `for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => { require('fs').writeFileSync(${JSON.stringify(join(root, 'heard'))}, 'heard ' + s); process.exit(3); });`;
  writeFileSync(
    join(root, 'main.cjs'),
    `${tell} require('fs').writeFileSync(${JSON.stringify(join(root, 'pid'))}, String(process.pid)); setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, [join(root, 'playground/with-deps.mjs'), 'main.cjs'], { env, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const pidFile = join(root, 'pid');
  const started = async (): Promise<boolean> => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '';
  await until(started, { what: 'The script', withinMs: 5000, everyMs: 20, signal: never });
  const script = identityOf(Number(readFileSync(pidFile, 'utf8')));
  child.kill(signal);
  await until(async () => script !== undefined && !isAlive(script), { what: 'Its end', withinMs: 5000, everyMs: 20, signal: never });
  expect(readFileSync(join(root, 'heard'), 'utf8')).toBe(heard);
  if (signal !== 'SIGKILL') expect(await exit).toBe(3);
});
