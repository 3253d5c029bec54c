/** The control loops and what sets each of them off. */
import { adoptIdentities, createAgentObjects } from './agent-objects.ts';
import type { Delays } from './delays.ts';
import { draw } from './delays.ts';
import { createDeployments } from './deployments.ts';
import { createEndpointSlices } from './endpoint-slices.ts';
import type { FaultBook } from './faults.ts';
import { createFaultBook } from './faults.ts';
import type { Operator } from './gateway/operator.ts';
import { createOperator } from './gateway/operator.ts';
import { weightsOf } from './gateway/translate.ts';
import type { Xds } from './gateway/xds.ts';
import { createXds } from './gateway/xds.ts';
import { createIdentities } from './identities.ts';
import type { Kube } from './kube/client.ts';
import type { Loop } from './kube/loop.ts';
import { createLoop } from './kube/loop.ts';
import type { Route } from './kube/types.ts';
import { createKubelet } from './kubelet.ts';
import type { PodBook } from './pod-book.ts';
import { createPodBook } from './pod-book.ts';
import { createRandom, seedFor } from './random.ts';
import type { TruthWriter } from './truth.ts';
import type { Pods } from './workloads/pods.ts';
import type { Change, Kind, World } from './world.ts';
import { watchWorld } from './world.ts';

export interface ControllersOptions {
  readonly kube: Kube;
  readonly pods: Pods;
  readonly truth: TruthWriter;
  readonly delays: Delays;
  readonly seed: number;
  readonly folder: string;
  readonly takePort: (purpose: string) => Promise<number>;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

export interface Controllers {
  readonly world: World;
  readonly book: PodBook;
  readonly faults: FaultBook;
  readonly xds: Xds;
  readonly operator: Operator;
}

type LoopName = 'deployments' | 'kubelet' | 'slices' | 'objects' | 'routes' | 'endpoints' | 'status';

/** Which loops a change sets off. */
const concerns: Readonly<Record<Kind, readonly LoopName[]>> = {
  namespaces: ['status', 'objects', 'kubelet'],
  deployments: ['deployments'],
  pods: ['kubelet', 'deployments', 'slices', 'objects'],
  services: ['slices', 'routes', 'status'],
  slices: ['slices', 'endpoints'],
  classes: ['routes', 'status'],
  gateways: ['routes', 'status'],
  httpRoutes: ['routes', 'status'],
  grpcRoutes: ['routes', 'status'],
};

/** Starts watching and playing the controllers; ends by the signal. Resolves when the cluster's present state was read. */
export const startControllers = async (options: ControllersOptions): Promise<Controllers> => {
  const { kube, truth, delays, now, signal, onError } = options;
  const randomFor = (name: string) => createRandom(seedFor(options.seed, name));
  const delayOf = (name: keyof Delays) => {
    const random = randomFor(`delay ${name}`);
    return () => draw(delays[name], random);
  };
  const none = (): number => 0;
  let loops: Readonly<Record<LoopName, Loop>> | undefined;

  const onChange = (change: Change): void => {
    if (change.kind === 'httpRoutes' && change.object) {
      const route = change.object as Route;
      truth.routeSeen(change.key, route.metadata.generation ?? 0, now(), weightsOf(route));
    }
    for (const name of concerns[change.kind]) loops?.[name].trigger();
  };

  const identities = createIdentities();
  await adoptIdentities(kube, identities);
  const world = watchWorld(kube, signal, onChange, onError);
  await world.synced;
  const book = createPodBook(identities, world.namespaceLabels);
  const faults = createFaultBook(world.services.objects, () => loops?.kubelet.trigger());
  const xds = createXds({
    world,
    book,
    folder: options.folder,
    takePort: options.takePort,
    now,
    onInForce: (routes, at) => {
      for (const { key, generation } of routes) truth.routeInForce(key, generation, at);
    },
  });
  const operator = createOperator(kube, world, xds, now);
  const deployments = createDeployments(kube, world, randomFor('pod names'), now);
  const kubelet = createKubelet({
    kube,
    world,
    pods: options.pods,
    book,
    faults,
    readinessDelay: delayOf('readiness'),
    crashDelay: delayOf('crashSeen'),
    now,
    again: () => loops?.kubelet.trigger(),
    signal,
    onError,
  });
  const slices = createEndpointSlices(kube, world);
  const objects = createAgentObjects(kube, world, book, identities);
  const loop = (reconcile: () => Promise<void>, delay: () => number): Loop => createLoop({ reconcile, delay, signal, onError });
  loops = {
    deployments: loop(() => deployments.reconcile(), none),
    kubelet: loop(() => kubelet.reconcile(), none),
    slices: loop(() => slices.reconcile(), none),
    objects: loop(() => objects.reconcile(), delayOf('agent')),
    routes: loop(async () => {
      await xds.routes();
      // A Gateway is programmed once it has a port, which the step above gives it.
      loops?.status.trigger();
    }, delayOf('operator')),
    endpoints: loop(async () => xds.endpoints(), delayOf('endpointProgramming')),
    status: loop(() => operator.reconcile(), delayOf('operator')),
  };
  for (const each of Object.values(loops)) each.trigger();
  await loops.routes.idle();
  return { world, book, faults, xds, operator };
};
