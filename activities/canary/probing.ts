// Requests of our own while a canary is watched (`--probe`): what they are answered comes back in flows, like anybody's.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { OperationSettings } from '../../src/domain/lifecycle/settings.ts';
import { AT_ONCE, inParallel } from '../../src/fan-out.ts';
import type { Log } from '../../src/log.ts';
import { type ProbeSettings } from '../watch/verb-steps.ts';
import { send, type Way, wayIn } from './way.ts';

interface ProbingDeps {
  readonly cluster: Cluster;
  /** Left out or `off`: none are sent. */
  readonly probe?: ProbeSettings | undefined;
  readonly log: Log;
}

type Settings = Pick<OperationSettings, 'probes' | 'latencyLimitMs'>;

/** Beyond the latency limit the answer is a failure already; so much longer it is waited for, so that the limit speaks first (ms). */
const LONGER_MS = 1_000;
/** A gateway that answers none must not collect connections. */
const MOST_WAITING = 100;
const LOOK_AGAIN_MS = 5_000;

/**
 * Sends probes at an even pace until the signal aborts, each marked with the operation, so that its own watch counts it and no other
 * does. Never rejects: what cannot be sent is no evidence, only a lack of it.
 */
export async function sendProbes(
  deps: ProbingDeps,
  { opId, details, settings }: { readonly opId: string; readonly details: CanaryDetails; readonly settings: Settings },
  signal: AbortSignal,
): Promise<void> {
  const { probes, latencyLimitMs } = settings;
  if (!probes || !isPossible(deps.probe)) return;
  const way = await firstWay(deps, details, probes.path, signal);
  if (!way) return;
  let waiting = 0;
  let told = false;
  while (!signal.aborted) {
    if (waiting < MOST_WAITING) {
      waiting += 1;
      void send(way, { id: `${opId}/${randomUUID()}`, timeoutMs: latencyLimitMs + LONGER_MS }, signal).then((problem) => {
        waiting -= 1;
        if (problem === undefined || told || signal.aborted) return;
        told = true;
        deps.log.warn({ opId, gateway: way.gateway, problem }, 'a probe was not answered; others like it are not logged');
      });
    }
    await sleep(1_000 / probes.perSecond, undefined, { signal }).catch(() => undefined);
  }
}

/** What people are told of the probes before they agree; undefined where none are asked for. */
export async function probingWords(
  deps: Omit<ProbingDeps, 'log'>,
  details: CanaryDetails,
  routes: readonly Route[],
  { probes }: Settings,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!probes) return undefined;
  if (!isPossible(deps.probe)) return 'no probes, though they were asked for: `probe` is off for this cluster in meshops.yaml';
  const way = await wayIn(deps.cluster, deps.probe, details, routes, signal, probes.path);
  if ('reason' in way) return `no probes, though they were asked for: ${way.reason}`;
  const { pathname } = new URL(way.url);
  return `${probes.perSecond} ${way.method} ${pathname} per second of our own through Gateway ${way.gateway}, told as synthetic`;
}

function isPossible(probe: ProbeSettings | undefined): probe is Exclude<ProbeSettings, 'off'> {
  return probe !== undefined && probe !== 'off';
}

/** The way in as the cluster has it; asked for again while the API does not answer. */
async function firstWay(
  { cluster, probe, log }: ProbingDeps,
  details: CanaryDetails,
  path: string | undefined,
  signal: AbortSignal,
): Promise<Way | undefined> {
  while (isPossible(probe) && !signal.aborted) {
    try {
      const found = await inParallel(details.routes, AT_ONCE, ({ ref }) => cluster.read<Route>(ref, { signal }));
      const way = await wayIn(
        cluster,
        probe,
        details,
        found.filter((route) => route !== undefined),
        signal,
        path,
      );
      if ('reason' in way) log.warn({ reason: way.reason }, 'no probes are sent');
      return 'reason' in way ? undefined : way;
    } catch (error) {
      if (signal.aborted) return undefined;
      log.warn({ err: error }, 'the way for probes could not be read; it is tried again');
      await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
