import type { Caller, CallOutcome, Trip } from '../cilium/connections/caller.ts';
import type { Held } from '../cilium/connections/clients.ts';
import type { TrueConnection } from '../cilium/connections/connection-truth.ts';
import type { Directory } from '../cilium/connections/directory.ts';
import type { Scan, ScanOptions } from '../cilium/connections/scanner.ts';
import type { Random } from '../cilium/random.ts';
import { netnsPath, OUTSIDE_NETNS } from './addresses.ts';
import type { PodProcess, RealCall, RealResult } from './pod-process.ts';

/** Real calls of the demo: each is made in its caller's namespace, and what became of it is the truth that stories are measured by. */
export interface RealCaller extends Pick<Caller, 'call'> {
  readonly holdOpen: (held: Held) => Promise<void>;
  readonly startScan: (options: ScanOptions) => Scan;
}

export interface RealCallerOptions {
  readonly directory: Directory;
  readonly pods: PodProcess;
  /** Name of a pod's network namespace, by the pod's key. */
  readonly netnsOf: (pod: string) => string | undefined;
  readonly connected: (connection: TrueConnection) => void;
  readonly random: Random;
  readonly onError: (error: unknown) => void;
}

const PATIENCE_MS = 2_000;
// Linux sends a SYN again after a second: a connection that took so long has lost its first one.
const SYN_LOST_MS = 950;
const DNS_SERVICE = 'kube-system/kube-dns';
const DNS_PORT = 53;
const SCANNER = '203.0.113.66';
const SCAN_PATIENCE_MS = 800;

interface Prepared {
  readonly call: RealCall;
  readonly destination: string;
  readonly port: number;
  readonly dns: string | undefined;
}

export function createRealCaller({ directory, pods, netnsOf, connected, random, onError }: RealCallerOptions): RealCaller {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];

  const prepare = ({ source, to, name, port: wanted, http = {} }: Trip): Prepared | undefined => {
    const found = directory.find(to);
    const netns = source.pod ? netnsOf(source.pod.key) : OUTSIDE_NETNS;
    if (!found || netns === undefined) return undefined;
    const server = source.pod && pick(directory.behind(DNS_SERVICE));
    const port = wanted ?? found.port;
    const call: RealCall = {
      netns: netnsPath(netns),
      ...(source.pod ? {} : { from: source.ip }),
      ...(server && { dns: server.ip }),
      host: directory.hostOf(to),
      address: `${found.party.ip}:${port}`,
      method: http.method ?? 'GET',
      path: http.path ?? '/',
      headers: { 'user-agent': name.replaceAll(' ', ''), ...http.headers },
      patienceMs: PATIENCE_MS,
    };
    return { call, destination: found.party.key, port, dns: server?.key };
  };

  const record = (trip: Trip, { destination, port, dns }: Prepared, result: RealResult): void => {
    const { name, source } = trip;
    const one = { source: source.key, name } as const;
    if (result.lookedUpAt !== undefined && dns !== undefined) {
      const allowed = result.outcome !== 'unresolved' && result.lookupLost !== true;
      connected({
        ...one,
        at: result.lookedUpAt,
        destination: dns,
        port: DNS_PORT,
        protocol: 'UDP',
        allowed,
        what: 'new',
        why: result.error ?? '',
      });
    }
    if (result.at === undefined || (result.outcome === 'unresolved' && result.connectMs === undefined)) return;
    const to = { ...one, at: result.at, destination, port, protocol: 'TCP' } as const;
    if (result.broken) connected({ ...to, allowed: false, what: 'established', why: result.error ?? 'nothing is acknowledged' });
    else if (result.outcome === 'refused') connected({ ...to, allowed: false, what: 'request', why: '403' });
    else {
      const lost = result.outcome === 'dropped' || (result.connectMs ?? 0) >= SYN_LOST_MS;
      connected({ ...to, allowed: !lost, what: 'new', why: lost ? (result.error ?? 'the first SYN was lost') : '' });
    }
  };

  return {
    call: async (trip): Promise<CallOutcome> => {
      const prepared = prepare(trip);
      if (!prepared) return 'failed';
      const result = await pods.call(prepared.call);
      record(trip, prepared, result);
      return result.outcome;
    },
    holdOpen: async ({ trip, everyMs, count, signal }) => {
      const now = trip();
      const prepared = now && prepare(now);
      if (!now || !prepared) return;
      const end = await pods.hold(prepared.call, everyMs, (result) => {
        count(result.outcome);
        // On a connection that was there, only its end is news.
        if (result.connectMs !== undefined || result.outcome !== 'answered') record(now, prepared, result);
      });
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    },
    startScan: (options) => {
      const counts = { sent: 0, dropped: 0 };
      let turn = 0;
      const next = (): void => {
        const behind = directory.behind(options.to);
        const pod = behind[turn % Math.max(1, behind.length)];
        const port = options.ports[Math.floor(turn / Math.max(1, behind.length)) % options.ports.length];
        turn += 1;
        if (!pod || port === undefined) return;
        const call: RealCall = {
          netns: netnsPath(OUTSIDE_NETNS),
          from: options.from ?? SCANNER,
          host: pod.ip,
          address: `${pod.ip}:${port}`,
          method: 'GET',
          path: '/',
          headers: {},
          // Given up before the kernel sends the SYN again.
          patienceMs: SCAN_PATIENCE_MS,
          connectOnly: true,
        };
        counts.sent += 1;
        pods.call(call).then(({ outcome }) => {
          if (outcome === 'dropped') counts.dropped += 1;
        }, onError);
      };
      const timer = setInterval(next, options.everyMs);
      return { counts, stop: () => clearInterval(timer) };
    },
  };
}
