import { type ChildProcess, spawn } from 'node:child_process';
import type { Env } from './cache.ts';
import { StackFailure } from './failure.ts';
import { send } from './processes.ts';
import { inPath, isExecutable, tethered } from './programs.ts';

/** A program that is run to its end while something is built or installed. `env` replaces the whole environment. */
export type Command = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Told the last line of its output, for the ticks. */
  readonly say?: (line: string) => void;
  /** Told every whole line of its stderr. */
  readonly line?: (line: string) => void;
};

/** How it ended; `missing` when there is no such program. `tail` is the end of both outputs. */
export type CommandResult = { readonly code: number | 'missing'; readonly stdout: string; readonly tail: string };

const STDOUT_LIMIT = 1 << 20;
const TAIL_LIMIT = 4000;

const MISSING: CommandResult = { code: 'missing', stdout: '', tail: '' };

/** Collects what a command says: the beginning of stdout, the end of both. */
function listenTo(child: ChildProcess, { say, line: tell }: Pick<Command, 'say' | 'line'>) {
  const heard = { stdout: '', tail: '' };
  const hear = (text: string): void => {
    heard.tail = (heard.tail + text).slice(-TAIL_LIMIT);
    const line = text.trim().split('\n').at(-1);
    if (line !== undefined && line !== '') say?.(line);
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (heard.stdout.length < STDOUT_LIMIT) heard.stdout += text;
    hear(text);
  });
  let begun = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    hear(text);
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    for (const one of lines) tell?.(one);
  });
  return heard;
}

/** Runs a command to its end. Where `program` is in PATH is decided by the given environment, not by this process's own. */
export async function run(command: Command): Promise<CommandResult> {
  const { signal } = command;
  signal.throwIfAborted();
  const path = command.program.includes('/') ? command.program : inPath(command.program, command.env);
  if (path === undefined || !isExecutable(path)) return MISSING;
  const { program, args } = tethered(path, command.args, command.env);
  return new Promise((resolve, reject) => {
    const place = command.cwd === undefined ? {} : { cwd: command.cwd };
    // A group of its own: compilers and downloaders that it starts end with it.
    const child = spawn(program, [...args], { ...place, env: command.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const heard = listenTo(child, command);
    const stop = (): void => {
      if (child.pid !== undefined) send(-child.pid, 'SIGKILL');
    };
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => {
      signal.removeEventListener('abort', stop);
      reject(error);
    });
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, ...heard });
    });
  });
}

const NO_NETWORK =
  /dial tcp|no such host|i\/o timeout|TLS handshake timeout|network is unreachable|Temporary failure in name resolution|Temporary failure resolving|Could not resolve|Name or service not known|NewConnectionError|Connection refused|connection refused|Could not connect|Failed to fetch|No matching distribution found/;

/** The failure that a command's end means, with its last lines. */
export function commandFailure(what: string, source: string, result: CommandResult): StackFailure {
  const last = result.tail.trim().split('\n').slice(-6).join('\n');
  if (NO_NETWORK.test(result.tail)) {
    return new StackFailure(
      'no-network',
      `${what} could not be had because ${source} cannot be reached from here. Connect to the network (or set its proxy), then start again; what is finished is kept.\n${last}`,
    );
  }
  return new StackFailure('build-failed', `${what} could not be made (exit code ${result.code}). Its last words:\n${last}`);
}

/** Runs a command that must succeed and gives its stdout. */
export async function runOrFail(what: string, source: string, command: Command): Promise<string> {
  const result = await run(command);
  if (result.code === 0) return result.stdout;
  throw commandFailure(what, source, result);
}
