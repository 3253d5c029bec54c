import { CanaryDetails } from '../../src/domain/canary/details.ts';
import type { Evidence } from '../../src/domain/evidence.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import type { ObjectRef } from '../../src/domain/plan.ts';
import type { FlowFollower, Flows } from '../clients/hubble/flows.ts';
import { createRecent, type Recent } from '../clients/hubble/recent.ts';
import type { Cluster } from '../clients/kubernetes/cluster.ts';
import type { Hub } from '../clients/kubernetes/hub.ts';
import { ENDPOINT_SLICE, type EndpointSlice, GATEWAY, type Gateway, SERVICE, type Service } from '../clients/kubernetes/objects.ts';
import type { Prometheus } from '../clients/prometheus/prometheus.ts';
import type { WatchInput } from '../contract.ts';
import type { Log } from '../log.ts';
import type { Hear, Watching } from '../watch/watching.ts';
import { followCounters } from './counters.ts';
import { createDropReader } from './drops.ts';
import { judgeSettings } from './judge-settings.ts';
import { sendProbes } from './probing.ts';
import { createRequestReader, type RequestReader } from './requests.ts';
import { readyOf, type Side, Sides } from './sides.ts';
import type { ProbeSettings } from './way.ts';

export interface EvidenceDeps {
  readonly cluster: Cluster;
  readonly hub: Hub;
  readonly flows: Flows;
  /** Left out: requests that reach no pod are not seen. */
  readonly prometheus?: Prometheus | undefined;
  /** Left out: a watch sends no requests of its own. */
  readonly probe?: ProbeSettings | undefined;
  readonly now: () => number;
  readonly log: Log;
}

/** A canary is watched by its requests (Hubble) and its ready endpoints (EndpointSlices). */
export function canaryWatching(deps: EvidenceDeps): Watching {
  return {
    settings: judgeSettings,
    judge: (input, startedAt, resumed) => createJudge(judgeSettings(input, startedAt), resumed),
    open: (input, hear, options) => openEvidence(deps, input, hear, options),
  };
}

async function openEvidence(
  deps: EvidenceDeps,
  input: WatchInput,
  heard: Hear,
  { since, signal }: { readonly since: number; readonly signal: AbortSignal },
): Promise<void> {
  // After an undo the question is whether the service as a whole is well: everybody is judged.
  const hear: Hear = input.purpose === 'restored' ? (event) => heard(judgedAlike(event)) : heard;
  const details = CanaryDetails.parse(input.plan.details);
  const { namespace, receiver, others, routes } = details;
  // A request to the Service that a mesh route hangs on may have been meant for any of its backends: its address proves nothing.
  const parents = new Set(routes.flatMap((route) => route.parents).map(({ kind, name }) => (kind === 'Service' ? name : undefined)));
  const sides = new Sides();
  const services = [[receiver, 'canary'], ...others.map((name) => [name, 'stable'] as const)] as readonly (readonly [string, Side])[];
  const read = (name: string) => deps.cluster.read<Service>({ ...SERVICE, namespace, name }, { signal });
  const found = await Promise.all(services.map(async ([name, side]) => ({ name, side, service: await read(name) })));
  const addresses = found.flatMap(({ name, side, service }) => {
    const own = (service?.spec.clusterIPs ?? []).filter((ip) => ip !== 'None');
    if (!parents.has(name)) sides.service(`${namespace}/${name}`, side, own);
    return own;
  });
  const gateways = await gatewayAddresses(deps, routes, signal);
  await Promise.all(
    found.map(({ name, side }) =>
      followEndpoints(deps, { namespace, name, side, sides }, name === receiver && input.purpose !== 'restored' ? hear : undefined, signal),
    ),
  );
  const grpc = routes.some(({ ref }) => ref.kind === 'GRPCRoute');
  const { prometheus } = deps;
  const { opId, settings } = input;
  const { latencyLimitMs } = settings;
  const reader = createRequestReader({
    sides,
    latencyLimitMs,
    grpc: grpc && prometheus !== undefined,
    ...(settings.probes && { probesOf: opId }),
  });
  const shown = (side: Side): number => reader.shown(side);
  if (prometheus) void followCounters({ ...deps, prometheus }, { namespace, services, grpc, shown }, hear, signal);
  await followRequests(deps, { keys: [namespace, ...addresses, ...gateways], sides, since, signal, reader }, hear);
  void sendProbes(deps, { opId, details, settings }, signal);
}

function judgedAlike(event: Evidence): Evidence {
  if (event.kind === 'request') return { ...event, side: 'canary', of: event.side };
  return event.kind === 'drop' ? { ...event, side: 'canary' } : event;
}

/** Where people reach the routes: what fails before it comes to a pod carries such an address. */
async function gatewayAddresses(
  { cluster, log }: EvidenceDeps,
  routes: CanaryDetails['routes'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const parents = routes.flatMap((route) => route.parents).filter(({ kind }) => kind === 'Gateway');
  const refs = new Map(parents.map(({ namespace, name }) => [`${namespace}/${name}`, { ...GATEWAY, namespace, name }]));
  const read = async (ref: ObjectRef): Promise<Gateway | undefined> =>
    cluster.read<Gateway>(ref, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      log.warn({ err: error, gateway: ref.name }, 'the gateway cannot be read: its own errors are not heard');
      return undefined;
    });
  const found = await Promise.all([...refs.values()].map(read));
  return found.flatMap((gateway) => (gateway?.status?.addresses ?? []).flatMap(({ value }) => value ?? []));
}

interface Endpoints {
  readonly namespace: string;
  readonly name: string;
  readonly side: Side;
  readonly sides: Sides;
}

/** Resolves when the endpoints are known once; keeps following. `hear` is told of readiness, when it matters. */
function followEndpoints(
  deps: EvidenceDeps,
  { namespace, name, side, sides }: Endpoints,
  hear: Hear | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const node = "the Kubernetes API's watch of EndpointSlice";
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  const changed = (slices: readonly unknown[]): void => {
    sides.endpoints(side, slices as readonly EndpointSlice[]);
    hear?.({ kind: 'readiness', at: deps.now(), service: name, ready: readyOf(slices as readonly EndpointSlice[]) });
    resolve();
  };
  const stale = (isStale: boolean, reason: string): void => {
    const at = deps.now();
    hear?.(isStale ? { kind: 'gap', at, node, reason } : { kind: 'sight', at, node });
  };
  deps.hub.follow(ENDPOINT_SLICE, `${namespace}/${name}`, { changed, stale }, signal);
  return promise;
}

interface Following {
  readonly keys: readonly string[];
  readonly sides: Sides;
  readonly since: number;
  readonly signal: AbortSignal;
  readonly reader: RequestReader;
}

/**
 * Live requests and drops; a watch that goes on hears first what the rings still hold since then. The streams tell nothing twice by
 * themselves, so only what the replay and the live stream both brought has to be told apart here.
 */
async function followRequests(deps: EvidenceDeps, { keys, sides, since, signal, reader }: Following, hear: Hear): Promise<void> {
  const drops = createDropReader(sides);
  let heard: Recent | undefined = createRecent(REPLAYED);
  let waiting: Evidence[] | undefined = [];
  const take = (event: Evidence): void => {
    if ((event.kind === 'request' || event.kind === 'drop') && (event.at <= since || heard?.add(event.id) === false)) return;
    hear(event);
  };
  const followerTo = (tell: (event: Evidence) => void, replayed = false): FlowFollower => ({
    flow(flow, node, seenAt) {
      // A replay may bring a request whose answer the live stream has brought already: it waits for nothing.
      if (replayed && flow.l7?.type === 'REQUEST') return;
      const event = reader.read(flow, node, seenAt) ?? drops.read(flow, seenAt);
      if (event) tell(event);
    },
    gap(node, at, reason, lost) {
      reader.lost(node);
      tell({ kind: 'gap', at, node, reason, ...(lost !== undefined && { lost }) });
    },
    sight(node, at) {
      reader.seen(node);
      tell({ kind: 'sight', at, node });
    },
  });
  const live = (event: Evidence): void => void (waiting ? waiting.push(event) : take(event));
  deps.flows.follow(keys, followerTo(live), signal);
  every(OVERDUE_EVERY_MS, signal, () => {
    for (const event of reader.overdue(deps.now())) live(event);
  });
  const held: Evidence[] = [];
  if (deps.now() - since > REPLAY_FROM_MS) {
    const keep = followerTo((event) => held.push(event), true);
    await deps.flows.replay(keys, since, keep, signal);
  }
  const early = waiting;
  waiting = undefined;
  // The rings of the nodes are read side by side; the judge wants the order of time.
  for (const event of [...held.toSorted((a, b) => a.at - b.at), ...early]) take(event);
  heard = undefined;
}

/** A watch that has just begun has missed nothing worth reading back. */
const REPLAY_FROM_MS = 300;
const REPLAYED = 20_000;
const OVERDUE_EVERY_MS = 200;

function every(ms: number, signal: AbortSignal, run: () => void): void {
  if (signal.aborted) return;
  const timer = setInterval(run, ms);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
