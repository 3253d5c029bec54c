import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import { setPriority } from 'node:os';
import { constants, monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { JsonObject } from '../../src/domain/json.ts';
import { type IdleReport, type IdleWord, pauseOf, RESOLUTION_MS } from './stages-words.ts';

export interface Instruments {
  /** A process that does nothing but count how late its own event loop is: what the machine alone does to a loop. */
  readonly idle: ChildProcess;
  readonly sockets: Sockets;
}

/** Asks the kernel to let these go before the servers beside them, where it may: a loop that waits for its turn is not one that computes. */
export function preferred(...pids: readonly (number | undefined)[]): boolean {
  try {
    for (const pid of pids) if (pid !== undefined) setPriority(pid, HIGH);
    return true;
  } catch {
    return false;
  }
}

const HIGH = -15;

/** What `work`, done `turns` times, costs: traffic of the API server, processor, and how long the event loop stood still. */
export async function measured({ idle, sockets }: Instruments, turns: number, work: (turn: number) => Promise<void>): Promise<JsonObject> {
  // What another phase has left behind is not this one's: it would be collected in the middle of it.
  collectGarbage();
  let turn = 0;
  const stretches = longestStretches(() => turn);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  idle.send('begin' satisfies IdleWord);
  const used = process.cpuUsage();
  const begun = performance.now();
  const bytes = sockets.bytes();
  delay.enable();
  for (; turn < turns; turn++) await work(turn);
  delay.disable();
  const seconds = (performance.now() - begun) / 1_000;
  const cpu = process.cpuUsage(used);
  const read = sockets.bytes() - bytes;
  const longest = stretches();
  const reported = once(idle, 'message');
  idle.send('end' satisfies IdleWord);
  const [bare] = (await reported) as [IdleReport];
  return {
    seconds: round(seconds),
    megabytesPerSecond: round(read / 1e6 / seconds),
    megabytesPerTurn: round(read / 1e6 / turns),
    processorShare: round((cpu.user + cpu.system) / 1e6 / seconds),
    longestPauseMs: round(pauseOf(delay.max)),
    pauseP99Ms: round(pauseOf(delay.percentile(99))),
    bareLoopLongestPauseMs: round(bare.longestMs),
    bareLoopPauseP99Ms: round(bare.p99Ms),
    longestOwnStretchMs: longest[0]?.ownMs ?? 0,
    longestStretches: longest.map((one) => ({ ...one, garbage: [...one.garbage] })),
  };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Stretch {
  readonly turn: number;
  readonly ms: number;
  /** What the thread computed itself: the rest is the kernel's, which on a full machine has to find memory first. */
  readonly ownMs: number;
  /** Collections of garbage in it. */
  readonly garbage: readonly string[];
}

const MOST_TOLD = 3;
const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak',
};

/** The longest times that this thread computed without a turn of its event loop: its pauses on a machine that nobody else uses. */
function longestStretches(turn: () => number): () => readonly Stretch[] {
  let longest: (Stretch & { readonly from: number; readonly to: number })[] = [];
  const collected: { readonly at: number; readonly what: string }[] = [];
  const collect = (entries: readonly PerformanceEntry[]): void => {
    for (const { startTime: at, duration, detail } of entries as readonly (PerformanceEntry & {
      readonly detail: { readonly kind: number };
    })[])
      collected.push({ at, what: `${KINDS[detail.kind] ?? 'other'} ${round(duration)} ms` });
  };
  const observer = new PerformanceObserver((list) => collect(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  let last = process.threadCpuUsage();
  let from = performance.now();
  const timer = setInterval(() => {
    const used = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    const to = performance.now();
    const one = { turn: turn(), ms: (used.user + used.system) / 1_000, ownMs: used.user / 1_000, garbage: [], from, to };
    from = to;
    if (one.ownMs > (longest.at(-1)?.ownMs ?? 0) || longest.length < MOST_TOLD)
      longest = [...longest, one].toSorted((a, b) => b.ownMs - a.ownMs).slice(0, MOST_TOLD);
  }, 1);
  return () => {
    clearInterval(timer);
    collect(observer.takeRecords());
    observer.disconnect();
    const within = (begin: number, end: number) => collected.filter(({ at }) => at >= begin && at <= end).map(({ what }) => what);
    return longest.map(({ from: begin, to, turn: number, ms, ownMs }) => ({
      turn: number,
      ms: round(ms),
      ownMs: round(ownMs),
      garbage: within(begin, to),
    }));
  };
}

export interface Sockets {
  bytes(): number;
  stop(): void;
}

/** Bytes that came over TLS to this process since it was asked. */
export function countSockets(): Sockets {
  const sockets = new Set<TLSSocket>();
  const agent = https.Agent.prototype as unknown as { createConnection: (...of: unknown[]) => TLSSocket };
  const original = agent.createConnection;
  agent.createConnection = function create(this: unknown, ...of: unknown[]) {
    const socket = original.apply(this, of);
    sockets.add(socket);
    return socket;
  };
  return {
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, 0),
    stop: () => {
      agent.createConnection = original;
    },
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
