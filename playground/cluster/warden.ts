import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from './cache.ts';
import { reasonOf, StackFailure } from './failure.ts';
import { cleanLeftovers } from './leftovers.ts';
import { tailOf } from './logs.ts';
import { until } from './waiting.ts';
import { type ChildSignal, type Order, Word } from './warden-protocol.ts';

/** How a child ended: one of the two is set. */
export type Exit = { readonly code: number | null; readonly signal: string | null };

/** A program to run beneath the warden. `env` replaces the whole environment (default: none but PATH and HOME). */
export type ChildOrder = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Both outputs are appended here. */
  readonly logFile: string;
  /** Asked each 50 ms until true; a rejection ends the start. */
  readonly ready: (signal: AbortSignal) => Promise<boolean>;
  readonly readyWithinMs: number;
  readonly signal?: AbortSignal;
};

/** A running child. `exited` never rejects. */
export type Child = {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** SIGTERM, then SIGKILL after the grace (default 3 s); resolves when it has ended. May be called again. */
  stop(graceMs?: number): Promise<Exit>;
  /** Any signal: SIGSTOP and SIGCONT make it hang and go on. */
  kill(signal: ChildSignal): void;
};

/** Keeps children from outliving this process, however it ends. */
export type Warden = {
  /** @throws StackFailure `not-ready` with the end of its log when it ends early or is not ready in time; the child is stopped then */
  start(order: ChildOrder): Promise<Child>;
  /** Stops all children at once and ends the warden. May be called again. */
  stop(): Promise<void>;
  /** Resolves when the warden process has ended, asked or not. */
  readonly ended: Promise<void>;
};

const DEFAULT_GRACE_MS = 3000;
const PROGRAM = fileURLToPath(new URL('./warden-process.ts', import.meta.url));

type Pending = {
  readonly started: (pid: number) => void;
  readonly failed: (reason: string) => void;
  readonly exited: (exit: Exit) => void;
};

const hear = (pending: Map<number, Pending>, line: string): void => {
  const word = Word.parse(JSON.parse(line));
  const child = pending.get(word.id);
  if (word.kind === 'started') child?.started(word.pid);
  if (word.kind === 'failed') child?.failed(word.reason);
  if (word.kind === 'exited') child?.exited({ code: word.code, signal: word.signal });
};

const spawnWarden = (dir: string, graceMs: number, env: Env): ChildProcess =>
  // Detached: signals of the terminal's group must not end it before the stack has stopped its children in order.
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, dir, String(process.pid), String(graceMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
    env: { PATH: env['PATH'], HOME: env['HOME'] },
  });

const exitText = (exit: Exit): string => (exit.signal === null ? `exit code ${exit.code}` : exit.signal);

const awaitReady = async (order: ChildOrder, exited: Promise<Exit>): Promise<void> => {
  const early = new AbortController();
  void exited.then((exit) =>
    early.abort(new StackFailure('not-ready', `${order.name} ended before it was ready (${exitText(exit)}). ${tailOf(order.logFile)}`)),
  );
  const signal = order.signal === undefined ? early.signal : AbortSignal.any([order.signal, early.signal]);
  const explain = (): string => tailOf(order.logFile);
  await until(order.ready, { what: order.name, withinMs: order.readyWithinMs, everyMs: 50, signal, explain });
};

/**
 * Starts the warden process for a run folder, after cleaning up what an earlier one left there.
 * @param options.graceMs between SIGTERM and SIGKILL when everything is stopped at once
 * @throws StackFailure `dir-in-use`
 */
export const openWarden = async (options: {
  readonly dir: string;
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly graceMs?: number;
}): Promise<Warden> => {
  await mkdir(options.dir, { recursive: true });
  await cleanLeftovers(options.dir, options.signal);
  const process_ = spawnWarden(options.dir, options.graceMs ?? DEFAULT_GRACE_MS, options.env);
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      for (const child of pending.values()) {
        child.failed('the warden has ended');
        child.exited({ code: null, signal: 'SIGKILL' });
      }
      resolve();
    };
    process_.once('exit', end);
    process_.once('error', end);
  });
  if (process_.stdin === null || process_.stdout === null) throw new StackFailure('warden-gone', 'The warden process has no pipes.');
  const { stdin, stdout } = process_;
  // EPIPE when the warden was killed: `ended` tells the story.
  stdin.on('error', () => undefined);
  createInterface({ input: stdout }).on('line', (line) => hear(pending, line));
  const say = (order: Order): void => {
    if (!over) stdin.write(`${JSON.stringify(order)}\n`);
  };

  const start = async (order: ChildOrder): Promise<Child> => {
    order.signal?.throwIfAborted();
    if (over)
      throw new StackFailure(
        'warden-gone',
        `${order.name} cannot be started: the stack's warden process has ended. Start the stack again.`,
      );
    const id = ++lastId;
    const exit = Promise.withResolvers<Exit>();
    const begun = Promise.withResolvers<number>();
    pending.set(id, {
      started: begun.resolve,
      failed: (reason) => begun.reject(new StackFailure('not-ready', `${order.name} could not be started: ${reason}.`)),
      exited: (how) => {
        pending.delete(id);
        exit.resolve(how);
      },
    });
    const env = order.env ?? { PATH: options.env['PATH'] ?? '', HOME: options.dir };
    const { name, command, args, logFile } = order;
    say({ kind: 'start', id, name, command, args: [...args], env, cwd: order.cwd ?? options.dir, logFile });
    const pid = await begun.promise;
    const stop = async (graceMs = DEFAULT_GRACE_MS): Promise<Exit> => {
      say({ kind: 'signal', id, signal: 'SIGTERM' });
      say({ kind: 'signal', id, signal: 'SIGCONT' });
      const timer = setTimeout(() => say({ kind: 'signal', id, signal: 'SIGKILL' }), graceMs);
      return exit.promise.finally(() => clearTimeout(timer));
    };
    const child: Child = { name, pid, exited: exit.promise, stop, kill: (signal) => say({ kind: 'signal', id, signal }) };
    try {
      await awaitReady(order, exit.promise);
    } catch (error) {
      await stop();
      throw error instanceof Error ? error : new Error(reasonOf(error));
    }
    return child;
  };
  return {
    start,
    stop: async () => {
      say({ kind: 'end' });
      await ended;
    },
    ended,
  };
};
