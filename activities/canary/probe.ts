import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flow } from '../../src/clients/hubble/flow.ts';
import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Route } from '../../src/clients/kubernetes/objects.ts';
import type { Prometheus } from '../../src/clients/prometheus/prometheus.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Impossible } from '../planning/impossible.ts';
import { type ProbeSettings } from '../watch/verb-steps.ts';
import { headerOf } from './reporters.ts';
import { PROBE_HEADER } from './requests.ts';
import { blind } from './sight.ts';
import { send, wayIn } from './way.ts';

export interface ProbeDeps {
  readonly cluster: Cluster;
  readonly flows: Flows;
  readonly probe?: ProbeSettings | undefined;
  readonly prometheus?: Prometheus | undefined;
  readonly now: () => number;
}

const WITHIN_MS = 5_000;
/** A probe that fell into a gap of the stream is followed by another one. */
const AGAIN_MS = 1_000;

/** Hubble shows every gRPC error as HTTP 200: without Envoy's counters a canary that fails each call would look well. */
const GRPC_UNSEEN = blind(
  "gRPC errors are HTTP 200 in flows, and only Envoy's counters tell them apart",
  "Name the cluster's `prometheus` in meshops.yaml, one that scrapes Cilium's Envoy",
).blind;

/**
 * Sends one labelled request on the way that the canary's traffic takes and waits until a flow shows it: settings may say what they
 * like, this is proof. Undefined when it was seen, or when no way in is known (routes of the mesh itself, Gateways without an address).
 */
export async function proveSight(
  deps: ProbeDeps,
  details: CanaryDetails,
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<Impossible | undefined> {
  if (!deps.prometheus && details.routes.some(({ ref }) => ref.kind === 'GRPCRoute')) return GRPC_UNSEEN;
  if (deps.probe === 'off' || deps.probe === undefined) return undefined;
  const way = await wayIn(deps.cluster, deps.probe, details, routes, signal);
  if ('reason' in way) return undefined;
  const id = randomUUID();
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const seen = Promise.withResolvers<boolean>();
  const follower = {
    flow: (flow: Flow): void => {
      if (headerOf(flow, PROBE_HEADER) === id) seen.resolve(true);
    },
    gap: (): void => undefined,
    sight: (): void => undefined,
  };
  deps.flows.follow([details.namespace, ...way.addresses], follower, until);
  let problem: string | undefined;
  const sending = (async () => {
    while (!until.aborted) {
      problem = await send(way, { id, timeoutMs: WITHIN_MS }, until);
      await sleep(AGAIN_MS, undefined, { signal: until }).catch(() => undefined);
    }
  })();
  const late = setTimeout(() => seen.resolve(false), WITHIN_MS);
  signal.addEventListener('abort', () => seen.reject(signal.reason as Error), { once: true });
  try {
    if (await seen.promise) return undefined;
    const what = `a probe to Gateway ${way.gateway} at ${way.url} was not seen in flows within ${WITHIN_MS / 1_000} s`;
    const next =
      problem === undefined
        ? `Check that Cilium serves this Gateway, and that Hubble does not redact the header ${PROBE_HEADER}`
        : 'Name the way to it under `probe.gateways` in meshops.yaml, or write `probe: off`';
    return blind(problem === undefined ? what : `${what} (${problem})`, next).blind;
  } finally {
    clearTimeout(late);
    over.abort();
    await sending;
  }
}

/** What people are told where no probe can prove that requests are seen; undefined where one did, or none was wanted. */
export async function unprovedWords(
  { cluster, probe }: Pick<ProbeDeps, 'cluster' | 'probe'>,
  details: CanaryDetails,
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (probe === 'off' || probe === undefined) return undefined;
  const way = await wayIn(cluster, probe, details, routes, signal);
  return 'reason' in way ? `whether requests are seen at all, since it cannot be probed (${way.reason})` : undefined;
}
