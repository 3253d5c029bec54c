import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Flow } from '../clients/hubble/flow.ts';
import type { Flows } from '../clients/hubble/flows.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import { GATEWAY, type Gateway, type Route } from '../clients/kubernetes/objects.ts';
import type { Prometheus } from '../clients/prometheus/prometheus.ts';
import type { Impossible } from './preconditions.ts';
import { headerOf } from './reporters.ts';
import { PROBE_HEADER } from './requests.ts';
import { blind } from './sight.ts';

/** How a cluster's gateways are probed: `off`, or by URL where the address in a Gateway's status is not the way from here. */
export type ProbeSettings = 'off' | { readonly gateways: Readonly<Record<string, string>> };

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

interface Way {
  readonly gateway: string;
  readonly url: string;
  readonly host: string;
  /** What its flows may carry, beside the namespace, when they reach no pod. */
  readonly addresses: readonly string[];
}

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
  const way = await wayIn(deps, deps.probe, details, routes, signal);
  if (!way) return undefined;
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
      problem = await send(way, id, until);
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

/** The first Gateway of the routes that can be reached. Routes of gRPC are not probed: a plain request would match none of their rules. */
async function wayIn(
  { cluster }: ProbeDeps,
  { gateways }: Exclude<ProbeSettings, 'off'>,
  details: CanaryDetails,
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<Way | undefined> {
  for (const { ref, parents } of details.routes) {
    const route = routes.find(({ metadata }) => metadata.namespace === ref.namespace && metadata.name === ref.name);
    if (ref.kind !== 'HTTPRoute' || !route) continue;
    for (const { kind, namespace, name } of parents) {
      if (kind !== 'Gateway') continue;
      const gateway = await cluster.read<Gateway>({ ...GATEWAY, namespace, name }, { signal });
      const addresses = (gateway?.status?.addresses ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
      const root = gateways[`${namespace}/${name}`] ?? rootOf(gateway, addresses[0]);
      if (root !== undefined)
        return { gateway: `${namespace}/${name}`, url: new URL(pathOf(route), root).href, host: hostOf(route, root), addresses };
    }
  }
  return undefined;
}

function rootOf(gateway: Gateway | undefined, address: string | undefined): string | undefined {
  const listener = gateway?.spec.listeners?.find(({ protocol }) => protocol === 'HTTP');
  if (!listener || address === undefined) return undefined;
  return `http://${address.includes(':') ? `[${address}]` : address}:${listener.port}`;
}

/** A path and a host that the route takes. */
function pathOf({ spec }: Route): string {
  const rule = spec.rules?.[0] as
    | { readonly matches?: readonly { readonly path?: { readonly type?: string; readonly value?: string } }[] }
    | undefined;
  const path = rule?.matches?.[0]?.path;
  return path?.type === 'RegularExpression' ? '/' : (path?.value ?? '/');
}

function hostOf({ spec }: Route, root: string): string {
  const [name] = (spec['hostnames'] ?? []) as readonly string[];
  return name === undefined ? new URL(root).host : name.replace(/^\*\./, 'meshops-probe.');
}

/** Sends the request; what it is answered does not matter. Undefined, or why it could not be sent. */
function send({ url, host }: Way, id: string, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const headers = { host, [PROBE_HEADER]: id, 'user-agent': 'meshops-probe' };
  const outgoing = request(url, { headers, agent: false, timeout: WITHIN_MS }, (response) => {
    response.resume();
    response.on('close', () => resolve(undefined));
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.on('error', (error) => resolve(error.message));
  signal.addEventListener('abort', () => outgoing.destroy(new Error('no answer in time')), { once: true });
  outgoing.end();
  return promise;
}
