// The warden: a small process that stands between the stack and its children. It lives as long as its stdin is open; when the
// stack ends, in whatever way, the kernel closes that pipe and the warden takes the children with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { codeOf } from './failure.ts';
import { identityOf, type ProcessIdentity, send } from './processes.ts';
import { tethered } from './programs.ts';
import { Order, RECORD_FILE, type StartOrder, type WardenRecord, type Word } from './warden-protocol.ts';

const [dir = '.', ownerPid = '0', graceMs = '3000'] = process.argv.slice(2);
const children = new Map<number, { readonly child: ChildProcess; readonly identity: ProcessIdentity; readonly name: string }>();
const owner = identityOf(Number(ownerPid));
const self = identityOf(process.pid);
const recordPath = join(dir, RECORD_FILE);
let ending = false;

function writeRecord(): void {
  if (owner === undefined || self === undefined) return;
  const record: WardenRecord = {
    owner,
    warden: self,
    children: [...children.values()].map(({ identity, name }) => ({ ...identity, name })),
  };
  try {
    writeFileSync(`${recordPath}.new`, JSON.stringify(record));
    renameSync(`${recordPath}.new`, recordPath);
  } catch (error) {
    // The folder was removed: no later start can look into it, and the children still need their warden.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function finish(): void {
  rmSync(recordPath, { force: true });
  process.exit(0);
}

function tell(word: Word): void {
  process.stdout.write(`${JSON.stringify(word)}\n`);
}

function spawnChild(order: StartOrder): ChildProcess {
  const log = openSync(order.logFile, 'a');
  try {
    // Should the warden itself be killed, the kernel ends its children; where it cannot, the next start does.
    const { program, args } = tethered(order.command, order.args, process.env);
    // A group of its own: a Ctrl-C in the terminal reaches the stack alone, which then stops its children in order.
    return spawn(program, [...args], { cwd: order.cwd, env: order.env, stdio: ['ignore', log, log], detached: true });
  } finally {
    closeSync(log);
  }
}

function start(order: StartOrder): void {
  const child = spawnChild(order);
  child.once('error', (error) => tell({ kind: 'failed', id: order.id, reason: error.message }));
  child.once('exit', (code, signal) => {
    // What it may have started in its group goes with it.
    if (child.pid !== undefined) send(-child.pid, 'SIGKILL');
    children.delete(order.id);
    writeRecord();
    tell({ kind: 'exited', id: order.id, code, signal });
    if (ending && children.size === 0) finish();
  });
  if (child.pid === undefined) return;
  const identity = identityOf(child.pid) ?? { pid: child.pid, startTicks: '', boot: '' };
  children.set(order.id, { child, identity, name: order.name });
  writeRecord();
  tell({ kind: 'started', id: order.id, pid: child.pid });
}

function signalAll(signal: NodeJS.Signals): void {
  for (const { identity } of children.values()) {
    send(-identity.pid, signal);
    // A stopped child would not hear SIGTERM.
    send(-identity.pid, 'SIGCONT');
  }
}

function end(): void {
  if (ending) return;
  ending = true;
  if (children.size === 0) finish();
  signalAll('SIGTERM');
  setTimeout(() => signalAll('SIGKILL'), Number(graceMs));
}

function obey(line: string): void {
  const order = Order.parse(JSON.parse(line));
  switch (order.kind) {
    case 'start':
      if (ending) return tell({ kind: 'failed', id: order.id, reason: 'the warden is stopping' });
      try {
        return start(order);
      } catch (error) {
        return tell({ kind: 'failed', id: order.id, reason: String(error) });
      }
    case 'signal': {
      const target = children.get(order.id);
      if (target !== undefined) send(-target.identity.pid, order.signal);
      return;
    }
    case 'end':
      return end();
    default:
      return order satisfies never;
  }
}

// A fault of its own must not leave the children without a warden.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack}\n`);
  signalAll('SIGKILL');
  process.exit(1);
});
// Nobody may be left to read: words to a closed pipe are lost, which is what they are worth then.
process.stdout.on('error', () => undefined);
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('SIGHUP', end);
writeRecord();
createInterface({ input: process.stdin }).on('line', obey).on('close', end);
