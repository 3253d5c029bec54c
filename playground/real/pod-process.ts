import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Fault } from '../cilium/workloads/fault.ts';
import { tethered } from '../cluster/programs.ts';

/** One request on one connection, by an address that the caller has chosen. */
export interface RealCall {
  /** Path of the caller's network namespace. */
  readonly netns: string;
  /** The caller's address, where it has several. */
  readonly from?: string;
  /** Where the name is asked for first; left out = it is not. */
  readonly dns?: string;
  readonly host: string;
  /** `address:port` */
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly patienceMs: number;
  readonly connectOnly?: boolean;
}

/** What became of a call; times are Unix milliseconds. */
export interface RealResult {
  readonly outcome: 'answered' | 'refused' | 'dropped' | 'unresolved' | 'failed';
  readonly lookedUpAt?: number;
  /** The first question had no answer, whatever became of the second. */
  readonly lookupLost?: boolean;
  /** The connection began; left out on a connection that was there. */
  readonly at?: number;
  readonly connectMs?: number;
  /** A live connection whose packets nobody acknowledges any more. */
  readonly broken?: boolean;
  readonly status?: number;
  readonly error?: string;
}

/** What runs in pods: servers, callers and DNS, each socket in the network namespace of its pod. */
export interface PodProcess {
  serve(pod: string, netns: string, port: number, version: string): Promise<void>;
  serveDns(pod: string, netns: string): Promise<void>;
  /** What the cluster's DNS answers from now on; `fail`: SERVFAIL to everything. */
  names(known: Readonly<Record<string, readonly string[]>>, fail: boolean): Promise<void>;
  setFault(pod: string, fault: Fault): Promise<void>;
  setStarved(pod: string, starved: boolean): Promise<void>;
  close(pod: string): Promise<void>;
  call(call: RealCall): Promise<RealResult>;
  /** Keeps a connection open and uses it; returns how to end it. */
  hold(call: RealCall, everyMs: number, heard: (result: RealResult) => void): Promise<() => void>;
  /** Hands what a proxy has seen to an agent's access log socket: cilium.LogEntry in protobuf's JSON, in order. */
  l7(socket: string, entries: readonly object[]): Promise<void>;
  /** Resolves when every call begun until now is over. */
  settle(): Promise<void>;
  stop(): void;
}

interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly call?: RealResult;
  readonly again?: boolean;
}

/** Starts the process; it ends with `stop`, or with this one. */
export function startPodProcess(program: string, onError: (error: unknown) => void): PodProcess {
  const child = spawnTethered(program);
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  const heard = new Map<number, (result: RealResult) => void>();
  const calls = new Set<Promise<unknown>>();
  let last = 0;
  let stopped = false;

  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    if (answer.again) {
      if (answer.call) heard.get(answer.id)?.(answer.call);
      return;
    }
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) waiter?.resolve(answer);
    else waiter?.reject(new Error(answer.error));
  });
  const end = (): void => {
    for (const waiter of waiting.values()) waiter.reject(new Error('The process of the pods has ended.'));
    waiting.clear();
    if (!stopped) onError(new Error('The process of the pods has ended.'));
  };
  child.once('error', onError);
  child.once('exit', end);
  // Its end is told by `exit`.
  child.stdin?.on('error', () => undefined);

  const ask = (order: object): { readonly id: number; readonly answered: Promise<Answer> } => {
    last += 1;
    const id = last;
    const waiter = Promise.withResolvers<Answer>();
    waiting.set(id, waiter);
    child.stdin?.write(`${JSON.stringify({ id, ...order })}\n`);
    return { id, answered: waiter.promise };
  };
  const tell = async (order: object): Promise<void> => void (await ask(order).answered);

  return {
    serve: (pod, netns, port, version) => tell({ do: 'serve', pod, netns, port, version }),
    serveDns: (pod, netns) => tell({ do: 'dns', pod, netns }),
    names: (names, fail) => tell({ do: 'names', names, fail }),
    setFault: (pod, fault) => tell({ do: 'fault', pod, fault }),
    setStarved: (pod, starved) => tell({ do: 'starve', pod, starved }),
    close: (pod) => tell({ do: 'close', pod }),
    call: async (call) => {
      const { answered } = ask({ do: 'call', call });
      calls.add(answered);
      try {
        return (await answered).call ?? { outcome: 'failed', error: 'no result' };
      } finally {
        calls.delete(answered);
      }
    },
    hold: async (call, everyMs, listener) => {
      const { id, answered } = ask({ do: 'hold', call, everyMs });
      heard.set(id, listener);
      await answered;
      return () => {
        heard.delete(id);
        if (!stopped) tell({ do: 'end', of: id }).catch(onError);
      };
    },
    l7: (socket, entries) => tell({ do: 'l7', socket, entries }),
    settle: async () => void (await Promise.allSettled(calls)),
    stop: () => {
      stopped = true;
      child.stdin?.end();
    },
  };
}

function spawnTethered(path: string): ChildProcess {
  const { program, args } = tethered(path, [], process.env);
  return spawn(program, [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}
