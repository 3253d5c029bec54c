import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from './cache.ts';
import { StackFailure } from './failure.ts';
import { cleanLeftovers } from './leftovers.ts';
import { tailOf } from './logs.ts';
import { until } from './waiting.ts';
import { type ChildSignal, type Order, Word } from './warden-protocol.ts';

/** How a child ended: one of the two is set. */
export type Exit = { readonly code: number | null; readonly signal: string | null };

/** A program to run beneath the warden. */
export type ChildOrder = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment; default: PATH, and the run folder as HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the run folder. */
  readonly cwd?: string;
  /** Both outputs are appended here. */
  readonly logFile: string;
  /** Asked each 50 ms until true; a rejection ends the start. */
  readonly ready: (signal: AbortSignal) => Promise<boolean>;
  readonly readyWithinMs: number;
  readonly signal?: AbortSignal;
};

/** A running child. */
export type Child = {
  readonly name: string;
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** SIGTERM, then SIGKILL after the grace (default 3 s; 0 = at once); resolves when it has ended. May be called again. */
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

export type WardenOptions = {
  /** Run folder: holds the record of what runs. One warden at a time. */
  readonly dir: string;
  readonly env: Env;
  readonly signal: AbortSignal;
  /** Between SIGTERM and SIGKILL when everything is stopped at once; default 3 s. */
  readonly graceMs?: number;
};

const DEFAULT_GRACE_MS = 3000;
const PROGRAM = fileURLToPath(new URL('./warden-process.ts', import.meta.url));

/** A child as this side knows it: what the warden has said about it so far. */
type Known = { readonly begun: PromiseWithResolvers<number>; readonly exit: PromiseWithResolvers<Exit> };

/** The pipe to the warden process. */
type Link = {
  readonly say: (order: Order) => void;
  readonly known: Map<number, Known>;
  readonly isOver: () => boolean;
  readonly ended: Promise<void>;
};

function spawnWarden(options: WardenOptions): ChildProcess {
  // Detached: signals of the terminal's group must not end it before the stack has stopped its children in order.
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', PROGRAM, options.dir, String(process.pid), String(options.graceMs ?? DEFAULT_GRACE_MS)],
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env: { PATH: options.env['PATH'], HOME: options.env['HOME'] } },
  );
}

const startFailure = (reason: string): StackFailure => new StackFailure('not-ready', `It could not be started: ${reason}.`);

function hear(known: Map<number, Known>, line: string): void {
  const word = Word.parse(JSON.parse(line));
  const child = known.get(word.id);
  switch (word.kind) {
    case 'started':
      return child?.begun.resolve(word.pid);
    case 'failed':
      known.delete(word.id);
      return child?.begun.reject(startFailure(word.reason));
    case 'exited':
      known.delete(word.id);
      return child?.exit.resolve({ code: word.code, signal: word.signal });
    default:
      return word satisfies never;
  }
}

function openLink(options: WardenOptions): Link {
  const warden = spawnWarden(options);
  const known = new Map<number, Known>();
  const { stdin, stdout } = warden;
  if (stdin === null || stdout === null) throw new StackFailure('warden-gone', 'The warden process has no pipes. Start the stack again.');
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      for (const child of known.values()) {
        child.begun.reject(startFailure("the stack's warden process has ended"));
        child.exit.resolve({ code: null, signal: 'SIGKILL' });
      }
      known.clear();
      resolve();
    };
    // 'close', not 'exit': its last words are still in the pipe when it exits.
    warden.once('close', end);
    warden.once('error', end);
  });
  // EPIPE when the warden was killed: `ended` tells the story.
  stdin.on('error', () => undefined);
  createInterface({ input: stdout }).on('line', (line) => hear(known, line));
  return { known, ended, isOver: () => over, say: (order) => void (over || stdin.write(`${JSON.stringify(order)}\n`)) };
}

async function awaitReady(order: ChildOrder, exited: Promise<Exit>): Promise<void> {
  const early = new AbortController();
  const endedEarly = (exit: Exit): void => {
    const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
    early.abort(new StackFailure('not-ready', `${order.name} ended before it was ready (${how}). ${tailOf(order.logFile)}`));
  };
  void exited.then(endedEarly);
  const signal = order.signal === undefined ? early.signal : AbortSignal.any([order.signal, early.signal]);
  const explain = (): string => tailOf(order.logFile);
  await until(order.ready, { what: order.name, withinMs: order.readyWithinMs, everyMs: 50, signal, explain });
}

function openChild(link: Link, id: number, name: string, pid: number, exited: Promise<Exit>): Child {
  return {
    name,
    pid,
    exited,
    kill: (signal) => link.say({ kind: 'signal', id, signal }),
    stop: async (graceMs = DEFAULT_GRACE_MS) => {
      link.say({ kind: 'signal', id, signal: 'SIGTERM' });
      // A paused child would not hear it.
      link.say({ kind: 'signal', id, signal: 'SIGCONT' });
      const timer = setTimeout(() => link.say({ kind: 'signal', id, signal: 'SIGKILL' }), graceMs);
      return exited.finally(() => clearTimeout(timer));
    },
  };
}

async function startChild(link: Link, id: number, order: ChildOrder, options: WardenOptions): Promise<Child> {
  order.signal?.throwIfAborted();
  if (link.isOver()) {
    throw new StackFailure('warden-gone', `${order.name} cannot be started: the stack's warden process has ended. Start the stack again.`);
  }
  const known: Known = { begun: Promise.withResolvers(), exit: Promise.withResolvers() };
  link.known.set(id, known);
  const { name, command, args, logFile } = order;
  const env = order.env ?? { PATH: options.env['PATH'] ?? '', HOME: options.dir };
  link.say({ kind: 'start', id, name, command, args: [...args], env, cwd: order.cwd ?? options.dir, logFile });
  const pid = await known.begun.promise.catch((error: unknown) => {
    throw new StackFailure('not-ready', `${name} is not running. ${error instanceof Error ? error.message : ''}`, { cause: error });
  });
  const child = openChild(link, id, name, pid, known.exit.promise);
  try {
    await awaitReady(order, child.exited);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

/**
 * Starts the warden process for a run folder, after cleaning up what an earlier one left there.
 * @throws StackFailure `dir-in-use`
 */
export async function openWarden(options: WardenOptions): Promise<Warden> {
  await mkdir(options.dir, { recursive: true });
  await cleanLeftovers(options.dir, options.signal);
  const link = openLink(options);
  let lastId = 0;
  return {
    start: (order) => startChild(link, ++lastId, order, options),
    stop: async () => {
      link.say({ kind: 'end' });
      await link.ended;
    },
    ended: link.ended,
  };
}
