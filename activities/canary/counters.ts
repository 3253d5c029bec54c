import { setTimeout as sleep } from 'node:timers/promises';
import { createCounters, type Increase } from '../../src/clients/prometheus/counters.ts';
import type { Prometheus } from '../../src/clients/prometheus/prometheus.ts';
import type { RequestEvidence } from '../../src/domain/judge/evidence.ts';
import type { Log } from '../../src/log.ts';
import type { Hear } from '../watch/watching.ts';
import { createScrapes, SCRAPE_NAMES, type Scraped, type Scrapes, scrapedQuery } from './scrapes.ts';
import type { Side } from './sides.ts';
import { createUnshown } from './unshown.ts';

/**
 * What Hubble's flows cannot show of a proxy's requests, out of Envoy's counters in Prometheus. Each of these counts requests, and
 * none of them a request that flows attribute to a pod:
 * - `upstream_rq_pending_failure_eject`: no connection to a pod could be made; Hubble logs the 503 with the gateway's address.
 * - `upstream_cx_none_healthy`: the Service had no endpoint; the same.
 * - `upstream_rq_xx` of class 5, as far as it exceeds what flows and the two above have shown three seconds later: Envoy's own 503 for a
 *   pod that answered nothing carries the gateway's address.
 * - `grpc_<status>`, only where gRPC is routed: an error is HTTP 200 in Hubble, so there every answer is counted here, and not there.
 *
 * What Envoy answers itself to a gRPC call is in two or three of these at once: its gRPC status, `upstream_rq_xx` of class 5, and why no
 * pod was reached (seen with Envoy 1.40: connections refused, streams reset). The gRPC status is the one that counts.
 */
const NO_CONNECTION = 'envoy_cluster_upstream_rq_pending_failure_eject';
const NO_ENDPOINT = 'envoy_cluster_upstream_cx_none_healthy';
const UNREACHED: Readonly<Record<string, string>> = { [NO_CONNECTION]: 'connect failure', [NO_ENDPOINT]: 'no endpoint' };
const ANSWERED = 'envoy_cluster_upstream_rq_xx';
const GRPC = /^envoy_cluster_grpc_(\d+)$/;
/** gRPC's own numbers of UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS (design 8). */
const GRPC_FAILURES: Readonly<Record<string, string>> = {
  2: 'grpc UNKNOWN',
  4: 'grpc DEADLINE_EXCEEDED',
  13: 'grpc INTERNAL',
  14: 'grpc UNAVAILABLE',
  15: 'grpc DATA_LOSS',
};

const POLL_MS = 500;
/** More failures than this of one look are told as this: the judge has long decided. */
const MOST = 500;

interface CountersDeps {
  readonly prometheus: Prometheus;
  readonly now: () => number;
  readonly log: Log;
}

export interface CountedServices {
  readonly namespace: string;
  /** Names of Services and whose they are. */
  readonly services: readonly (readonly [string, Side])[];
  readonly grpc: boolean;
  /** 5xx that flows have attributed to pods of a side since the watch began. */
  readonly shown: (side: Side) => number;
  /** True when a request that reached no pod was told before, as a dropped connection. */
  readonly isTold: (side: Side, now: number) => boolean;
  /** All that these Services get was split, so that their gRPC answers may be compared. */
  readonly isWhole: boolean;
  /** Requests of the canary, told as asked, whose answers had come by `until` (epoch ms) and were left to be told here. */
  readonly left: (until: number) => number;
}

/** Where Prometheus does not tell when Envoy was scraped: as it is in Cilium's chart and longer (ms). */
const SCRAPE_MS = 5_000;
/** What was open at a scrape began at most so long before it: Cilium's Envoys give a connection up after that (ms). */
const GIVEN_UP_MS = 5_000;

/**
 * Looks until the signal aborts. Without gRPC its loss blinds nobody, since requests that reach a pod are seen in flows; it is logged.
 * With gRPC the errors are seen nowhere else, so it is told as a gap.
 */
export async function followCounters(deps: CountersDeps, counted: CountedServices, hear: Hear, signal: AbortSignal): Promise<void> {
  const counters = createCounters();
  const scrapes = createScrapes();
  const unshown = createUnshown(deps.now);
  const told: Record<Side, number> = { canary: 0, stable: 0 };
  const query = queryOf(counted);
  const node = 'Prometheus';
  let away = false;
  const asked = createAsked(counted.left);
  while (!signal.aborted) {
    try {
      const samples = await deps.prometheus.instant(query, { signal });
      const seenAt = deps.now();
      if (away && counted.grpc) hear({ kind: 'sight', at: seenAt, node });
      away = false;
      const grown = counters.look(scrapes.look(samples)).flatMap((increase) => {
        const side = sideOf(increase, counted);
        return side ? [{ ...increase, side, since: sinceOf(increase, scrapes) }] : [];
      });
      asked.look(scrapes);
      for (const growth of grown) if (growth.labels['__name__'] === ANSWERED) unshown.grown(growth.side, startsOf(growth));
      // A failure that is heard before successes of the same look would be seen without them.
      const each = onceEach(grown).toSorted((a, b) => Number(reasonOf(a) !== undefined) - Number(reasonOf(b) !== undefined));
      for (const growth of each) {
        if (reasonOf(growth) !== undefined) told[growth.side] += growth.by;
        const own = growth.side === 'canary' && isAnswer(growth);
        for (const event of eventsOf(growth, seenAt, counted)) hear(own && asked.take() ? { ...event, asked: true } : event);
      }
      for (const side of ['canary', 'stable'] as const) {
        const missing = unshown.take(side, seenAt, counted.shown(side), told[side]).slice(0, MOST);
        for (const [nth, start] of missing.entries()) if (!counted.isTold(side, seenAt)) hear(unseen(side, seenAt, start, nth));
      }
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (!away) deps.log.warn({ err: error }, "Envoy's counters cannot be read: requests that reach no pod are not seen");
      if (!away && counted.grpc) hear({ kind: 'gap', at: deps.now(), node, reason });
      away = true;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Cilium names a cluster `<namespace>/<CiliumEnvoyConfig>/<ns>:<service>:<port>`; in Envoy's statistics `:` becomes `_`. */
function queryOf({ namespace, services, grpc }: CountedServices): string {
  const names = [...Object.keys(UNREACHED), ...SCRAPE_NAMES, ...(grpc ? ['envoy_cluster_grpc_[0-9]+'] : [])];
  const clusters = services.map(([name]) => `${namespace}_${name}`).join('|');
  const cluster = `envoy_cluster_name=~".+/(${clusters})_[0-9]+"`;
  return `{__name__=~"${names.join('|')}",${cluster}} or ${ANSWERED}{envoy_response_code_class="5",${cluster}} or ${scrapedQuery(cluster)}`;
}

function sideOf({ labels }: Increase, { namespace, services }: CountedServices): Side | undefined {
  const cluster = labels['envoy_cluster_name'] ?? '';
  const service = cluster.slice(cluster.lastIndexOf('/') + 1).replace(/_\d+$/, '');
  return services.find(([each]) => `${namespace}_${each}` === service)?.[1];
}

/** Growth of one side's counter. */
type Growth = Increase & { readonly side: Side; readonly since: Since };

/** When the requests of a growth have ended, and how many of them may have begun earlier. Epoch ms. */
interface Since {
  readonly from: number;
  readonly early: number;
}

/**
 * They have ended since the scrape before, and no more of them than were open then can have begun before it. Never later than they did: what
 * was heard meanwhile would have been known before they began.
 */
function sinceOf({ labels, at, by }: Increase, scrapes: Scrapes): Since {
  const before = scrapes.before(labels);
  if (!before) return { from: at - SCRAPE_MS, early: 0 };
  return { from: before.at, early: Math.min(by, openOf(labels['__name__'] ?? '', before)) };
}

function openOf(name: string, { open, pending }: Scraped): number {
  // Envoy answers at once where there is no endpoint.
  if (name === NO_ENDPOINT) return 0;
  if (pending === undefined || open === undefined) return Number.POSITIVE_INFINITY;
  return name === NO_CONNECTION ? pending : open + pending;
}

/** When each had begun at the latest, the oldest first. */
function startsOf({ since: { from, early }, by }: Growth): readonly number[] {
  return Array.from({ length: by }, (_, nth) => (nth < early ? from - GIVEN_UP_MS : from));
}

/** What counts requests by itself, with the calls that are in a gRPC status already taken out of those that reached no pod. */
function onceEach(grown: readonly Growth[]): readonly Growth[] {
  const answered: Record<Side, number> = { canary: 0, stable: 0 };
  for (const growth of grown) if (statusOf(growth) !== undefined && reasonOf(growth) !== undefined) answered[growth.side] += growth.by;
  return grown.flatMap((growth) => {
    const { side, labels, by } = growth;
    if (labels['__name__'] === ANSWERED) return [];
    if (statusOf(growth) !== undefined) return [growth];
    const known = Math.min(by, answered[side]);
    answered[side] -= known;
    return [{ ...growth, by: by - known }];
  });
}

function statusOf({ labels }: Increase): string | undefined {
  return GRPC.exec(labels['__name__'] ?? '')?.[1];
}

/** Why these requests are failures, if they are. */
function reasonOf(increase: Increase): string | undefined {
  const status = statusOf(increase);
  return status === undefined ? UNREACHED[increase.labels['__name__'] ?? ''] : GRPC_FAILURES[status];
}

/**
 * Answers to requests that were told as asked: a gRPC call is a flow when it reaches a pod, and a count when it is answered. Without this its success
 * would count twice.
 */
function createAsked(left: CountedServices['left']): { look(scrapes: Scrapes): void; take(): boolean } {
  let [taken, known, envoys] = [0, 0, 0];
  return {
    look(scrapes) {
      if (scrapes.until !== undefined) known = left(scrapes.until);
      // What was answered before its Envoy was looked at is never told here.
      if (scrapes.envoys > envoys) taken = known;
      envoys = scrapes.envoys;
    },
    take() {
      if (taken >= known) return false;
      taken += 1;
      return true;
    },
  };
}

function isAnswer(increase: Increase): boolean {
  return statusOf(increase) !== undefined;
}

function unseen(side: Side, at: number, startedAt: number, nth: number): RequestEvidence {
  const id = `envoy/5xx/${side}/${at}/${nth}`;
  return { kind: 'request', at, seenAt: at, side, failed: true, failure: '5xx of the gateway', latencyMs: 0, id, startedAt, unsplit: true };
}

/**
 * A connection that could not be made is not compared: a canary that is cold opens more of them than its control. What gRPC answered is, where all
 * of it was split; the answers of one look are one block, so they have one start, and the objective is told that some began earlier.
 */
function eventsOf(growth: Growth, seenAt: number, { isTold, isWhole }: CountedServices): readonly RequestEvidence[] {
  const { labels, at, by, value, side, since } = growth;
  const failure = reasonOf(growth);
  const source = `${labels['instance'] ?? ''}/${labels['envoy_cluster_name'] ?? ''}/${labels['__name__'] ?? ''}`;
  const isCompared = isAnswer(growth) && isWhole;
  const left = isAnswer(growth) ? by : Array.from({ length: by }).filter(() => !isTold(side, seenAt)).length;
  const starts = startsOf(growth);
  return Array.from({ length: failure === undefined ? left : Math.min(left, MOST) }, (_, nth) => {
    const start = starts[nth] ?? since.from;
    return {
      kind: 'request',
      at,
      seenAt,
      side,
      failed: failure !== undefined,
      ...(failure && { failure }),
      latencyMs: 0,
      id: `${source}/${value - nth}`,
      startedAt: isCompared ? since.from : start,
      ...(isCompared && start < since.from && { earlyMs: since.from - start }),
      ...(!isCompared && { unsplit: true }),
    };
  });
}
