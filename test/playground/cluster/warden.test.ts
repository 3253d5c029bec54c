import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readRecord } from '../../../playground/cluster/leftovers.ts';
import { isFree } from '../../../playground/cluster/ports.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../../playground/cluster/processes.ts';
import { until } from '../../../playground/cluster/waiting.ts';
import { openWarden, type Warden } from '../../../playground/cluster/warden.ts';
import { never, scratch } from './scratch.ts';

const order = (dir: string) => ({ logFile: join(dir, 'log'), readyWithinMs: 5000, ready: async () => true });
const sleeper = { name: 'sleeper', command: '/bin/sleep', args: ['600'] };

async function open(dir: string): Promise<Warden> {
  const warden = await openWarden({ dir, env: process.env, signal: never, graceMs: 300 });
  onTestFinished(() => warden.stop());
  return warden;
}

function identity(pid: number): ProcessIdentity {
  const found = identityOf(pid);
  if (found === undefined) throw new Error(`process ${pid} does not run`);
  return found;
}

type Owner = {
  readonly process: ChildProcess;
  readonly children: readonly ProcessIdentity[];
  readonly warden: ProcessIdentity;
  readonly port: number;
};

/** Another process with a warden and two children, one of which ignores SIGTERM and listens on a port. */
async function startOwner(dir: string, mode: string): Promise<Owner> {
  const program = fileURLToPath(new URL('./warden-owner.ts', import.meta.url));
  const owner = spawn(process.execPath, [program, dir, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: owner.stdout }).once('line', resolve);
    owner.once('exit', () => reject(new Error('the owner ended early')));
  });
  const { pids } = JSON.parse(line) as { readonly pids: readonly number[] };
  const record = readRecord(dir);
  if (record === undefined) throw new Error('no record was written');
  const port = Number(/port (\d+)/.exec(readFileSync(join(dir, 'log'), 'utf8'))?.[1]);
  return { process: owner, children: pids.map(identity), warden: record.warden, port };
}

async function expectNothingLeft(owner: Owner): Promise<void> {
  const all = [...owner.children, owner.warden];
  await until(async () => !all.some(isAlive), { what: 'Their end', withinMs: 5000, everyMs: 20, signal: never });
  expect(await isFree(owner.port)).toBe(true);
}

test.each([
  ['SIGINT, handled', 'SIGINT', 'orderly'],
  ['SIGINT, not handled', 'SIGINT', 'plain'],
  ['SIGTERM', 'SIGTERM', 'plain'],
  ['kill -9', 'SIGKILL', 'plain'],
] as const)('no process and no port is left when the owner is ended by %s', async (_case, signal, mode) => {
  const dir = scratch();
  const owner = await startOwner(dir, mode);
  expect(await isFree(owner.port)).toBe(false);
  owner.process.kill(signal);
  await expectNothingLeft(owner);
  expect(readRecord(dir)).toBeUndefined();
});

test('no process and no port is left when owner and warden are both killed, once the next start has cleaned up', async () => {
  const dir = scratch();
  const owner = await startOwner(dir, 'plain');
  process.kill(owner.warden.pid, 'SIGKILL');
  owner.process.kill('SIGKILL');
  await until(async () => !isAlive(owner.warden) && identityOf(owner.process.pid ?? 0) === undefined, {
    what: 'Their end',
    withinMs: 5000,
    everyMs: 20,
    signal: never,
  });
  await open(dir);
  await expectNothingLeft(owner);
});

test('a process that only has the number of a recorded child is left alone', async () => {
  const dir = scratch();
  const innocent = spawn('/bin/sleep', ['600']);
  onTestFinished(() => void innocent.kill('SIGKILL'));
  const gone = { pid: 999_999, startTicks: '1', boot: 'x' };
  const { pid, boot } = identity(innocent.pid ?? 0);
  writeFileSync(
    join(dir, 'warden.json'),
    JSON.stringify({ owner: gone, warden: gone, children: [{ name: 'old', pid, startTicks: '1', boot }] }),
  );
  await open(dir);
  expect(identityOf(pid)).toBeDefined();
});

test('what a recorded child really is, a start without its warden ends', async () => {
  const dir = scratch();
  const left = spawn('/bin/sleep', ['600'], { detached: true });
  onTestFinished(() => void left.kill('SIGKILL'));
  const gone = { pid: 999_999, startTicks: '1', boot: 'x' };
  const child = identity(left.pid ?? 0);
  writeFileSync(join(dir, 'warden.json'), JSON.stringify({ owner: gone, warden: gone, children: [{ name: 'old', ...child }] }));
  await open(dir);
  expect(isAlive(child)).toBe(false);
});

test('a folder in use by a running start is refused, and that start is not disturbed', async () => {
  const dir = scratch();
  const owner = await startOwner(dir, 'orderly');
  await expect(open(dir)).rejects.toMatchObject({ type: 'dir-in-use', message: expect.stringContaining(`process ${owner.process.pid}`) });
  expect(owner.children.every(isAlive)).toBe(true);
});

test('stop() ends every child, and may be called again', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const children = await Promise.all([warden.start({ ...order(dir), ...sleeper }), warden.start({ ...order(dir), ...sleeper })]);
  const identities = children.map((child) => identity(child.pid));
  await Promise.all([warden.stop(), warden.stop()]);
  expect(identities.some(isAlive)).toBe(false);
  expect(existsSync(join(dir, 'warden.json'))).toBe(false);
  await expect(warden.start({ ...order(dir), ...sleeper })).rejects.toMatchObject({ type: 'warden-gone' });
});

test('a child that ignores SIGTERM is killed after its grace', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const script = 'trap "" TERM; echo set; while :; do /bin/sleep 1; done';
  const ready = async (): Promise<boolean> => readFileSync(join(dir, 'log'), 'utf8').includes('set');
  const child = await warden.start({ ...order(dir), name: 'deaf', command: '/bin/sh', args: ['-c', script], ready });
  expect(await child.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a paused child can be stopped', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const child = await warden.start({ ...order(dir), ...sleeper });
  child.kill('SIGSTOP');
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});

test('a child that ends before it is ready shows its last words', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const start = warden.start({
    ...order(dir),
    name: 'server',
    command: '/bin/sh',
    args: ['-c', 'echo address already in use; exit 4'],
    ready: async () => false,
  });
  await expect(start).rejects.toMatchObject({
    type: 'not-ready',
    message: expect.stringMatching(/^server ended before it was ready \(exit code 4\).*\naddress already in use/),
  });
});

test('a child that is not ready in time is stopped', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const start = warden.start({ ...order(dir), ...sleeper, ready: async () => false, readyWithinMs: 200 });
  await expect(start).rejects.toMatchObject({ type: 'not-ready', message: expect.stringContaining('was not ready within 0.2 s') });
  expect(readRecord(dir)?.children).toEqual([]);
});

test('an aborted start stops the child and throws the reason', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const abort = new AbortController();
  const ready = async (): Promise<boolean> => {
    abort.abort(new Error('Ctrl-C'));
    return false;
  };
  await expect(warden.start({ ...order(dir), ...sleeper, ready, signal: abort.signal })).rejects.toThrow('Ctrl-C');
  expect(readRecord(dir)?.children).toEqual([]);
});

test('a program that does not exist is named', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const start = warden.start({ ...order(dir), name: 'ghost', command: '/nowhere/ghost', args: [], ready: async () => false });
  await expect(start).rejects.toMatchObject({ type: 'not-ready', message: expect.stringMatching(/ghost/) });
});

test('when the warden is killed its children are reported ended', async () => {
  const dir = scratch();
  const warden = await open(dir);
  const child = await warden.start({ ...order(dir), ...sleeper });
  process.kill(readRecord(dir)?.warden.pid ?? 0, 'SIGKILL');
  await warden.ended;
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
});
