import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { Hub } from '../../src/clients/kubernetes/hub.ts';
import { ENDPOINT_SLICE, type EndpointSlice, SERVICE, type Service } from '../../src/clients/kubernetes/objects.ts';
import type { Prometheus } from '../../src/clients/prometheus/prometheus.ts';
import { CanaryDetails } from '../../src/domain/canary/details.ts';
import { createJudge } from '../../src/domain/judge/create.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';
import type { Log } from '../../src/log.ts';
import { Carriers } from '../watch/carriers.ts';
import type { ProbeSettings } from '../watch/verb-steps.ts';
import type { Hear, OpenOptions, Watching } from '../watch/watching.ts';
import { followCounters } from './counters.ts';
import { createDropReader } from './drops.ts';
import { followRequests } from './follow-requests.ts';
import { gatewayAddresses } from './gateways.ts';
import { judgeSettings } from './judge-settings.ts';
import { sendProbes } from './probing.ts';
import { createRequestReader } from './requests.ts';
import { nodesOf, readyOf, type Side, Sides } from './sides.ts';
import { readSplit } from './split.ts';

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
    judge: (input, startedAt, resumed) => createJudge(judgeSettings(input, startedAt), resumed, input.evidence?.carried),
    open: (input, hear, options) => openEvidence(deps, input, hear, options),
  };
}

async function openEvidence(
  deps: EvidenceDeps,
  input: WatchInput,
  heard: Hear,
  { since, watchedTo, signal, remarks }: OpenOptions,
): Promise<void> {
  // After an undo the question is whether the service as a whole is well: everybody is judged.
  const hear: Hear = input.purpose === 'restored' ? (event) => heard(judgedAlike(event)) : heard;
  const details = CanaryDetails.parse(input.plan.details);
  const { namespace, receiver, others, routes } = details;
  // A request to the Service that a mesh route hangs on may have been meant for any of its backends: its address proves nothing.
  const parents = new Set(routes.flatMap((route) => route.parents).map(({ kind, name }) => (kind === 'Service' ? name : undefined)));
  const carriers = new Carriers({ hear, now: deps.now, known: details.carriers });
  remarks?.(() => carriers.unseen(deps.now()));
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
      followEndpoints(
        deps,
        { namespace, name, side, sides, carriers },
        name === receiver && input.purpose !== 'restored' ? hear : undefined,
        signal,
      ),
    ),
  );
  const grpc = routes.some(({ ref }) => ref.kind === 'GRPCRoute');
  const { prometheus } = deps;
  const { opId, settings } = input;
  const { latencyLimitMs } = settings;
  const split = await readSplit(deps, details, signal);
  const drops = createDropReader(sides, latencyLimitMs);
  const isTold = (side: Side, now: number): boolean => drops.take(side, now);
  const reader = createRequestReader({
    split,
    isTold,
    sides,
    latencyLimitMs,
    grpc: grpc && prometheus !== undefined,
    ...(settings.probes && { probesOf: opId }),
  });
  const shown = (side: Side): number => reader.shown(side);
  if (prometheus)
    void followCounters(
      { ...deps, prometheus },
      { namespace, services, grpc, shown, isTold, isWhole: split.isWhole, left: (until) => reader.left(until) },
      hear,
      signal,
    );
  await followRequests(deps, { keys: [namespace, ...addresses, ...gateways], carriers, since, watchedTo, signal, reader, drops }, hear);
  void sendProbes(deps, { opId, details, settings }, signal);
}

function judgedAlike(event: Evidence): Evidence {
  if (event.kind === 'request') return { ...event, side: 'canary', of: event.side };
  return event.kind === 'drop' ? { ...event, side: 'canary' } : event;
}

interface Endpoints {
  readonly namespace: string;
  readonly name: string;
  readonly side: Side;
  readonly sides: Sides;
  readonly carriers: Carriers;
}

/** Resolves when the endpoints are known once; keeps following. `hear` is told of readiness, when it matters. */
function followEndpoints(
  deps: EvidenceDeps,
  { namespace, name, side, sides, carriers }: Endpoints,
  hear: Hear | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const node = "the Kubernetes API's watch of EndpointSlice";
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  const changed = (slices: readonly unknown[]): void => {
    sides.endpoints(side, slices as readonly EndpointSlice[], deps.now());
    carriers.endpoints(name, nodesOf(slices as readonly EndpointSlice[]));
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
