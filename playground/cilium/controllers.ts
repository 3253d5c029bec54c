/** The control loops and what sets each of them off. */
import { join } from 'node:path';
import type { PolicyService } from '../../src/domain/policy/flow.ts';
import type { PolicyKind } from '../../src/domain/policy/policy.ts';
import { adoptIdentities, createAgentObjects } from './agent-objects.ts';
import { createDeployments } from './deployments.ts';
import { createEndpointSlices } from './endpoint-slices.ts';
import type { FaultBook } from './faults.ts';
import { createFaultBook } from './faults.ts';
import type { Operator } from './gateway/operator.ts';
import { createOperator } from './gateway/operator.ts';
import { weightsOf } from './gateway/translate.ts';
import type { Xds } from './gateway/xds.ts';
import { createXds } from './gateway/xds.ts';
import type { Ground } from './ground.ts';
import type { Identities } from './identities.ts';
import { createIdentities } from './identities.ts';
import type { Kube } from './kube/client.ts';
import type { Loop } from './kube/loop.ts';
import { createLoop } from './kube/loop.ts';
import type { Route, Service } from './kube/types.ts';
import { createKubelet } from './kubelet.ts';
import { meshNodes } from './nodes.ts';
import type { PodBook } from './pod-book.ts';
import { createPodBook } from './pod-book.ts';
import { createPolicyStatus } from './policy/policy-status.ts';
import type { Realisation, TruePolicy } from './policy/realisation.ts';
import { createRealisation } from './policy/realisation.ts';
import type { TruthWriter } from './truth.ts';
import type { Pods } from './workloads/pods.ts';
import type { Change, Kind, World } from './world.ts';
import { watchWorld } from './world.ts';

export interface Controllers {
  readonly world: World;
  readonly book: PodBook;
  readonly faults: FaultBook;
  readonly xds: Xds;
  readonly operator: Operator;
  readonly realisation: Realisation;
}

type LoopName = 'deployments' | 'kubelet' | 'slices' | 'objects' | 'routes' | 'endpoints' | 'status' | 'policyStatus';

/** Which loops a change sets off. */
const concerns: Readonly<Record<Kind, readonly LoopName[]>> = {
  namespaces: ['status', 'objects', 'kubelet'],
  deployments: ['deployments'],
  pods: ['kubelet', 'deployments', 'slices', 'objects'],
  services: ['slices', 'routes', 'status', 'kubelet'],
  slices: ['slices', 'endpoints'],
  classes: ['routes', 'status'],
  gateways: ['routes', 'status'],
  httpRoutes: ['routes', 'status'],
  grpcRoutes: ['routes', 'status'],
  ciliumPolicies: ['policyStatus'],
  clusterwidePolicies: ['policyStatus'],
  networkPolicies: [],
};

const policyKinds: Readonly<Partial<Record<Kind, PolicyKind>>> = {
  ciliumPolicies: 'CiliumNetworkPolicy',
  clusterwidePolicies: 'CiliumClusterwideNetworkPolicy',
  networkPolicies: 'NetworkPolicy',
};

const policyService = ({ metadata, spec }: Service): PolicyService => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  labels: metadata.labels,
  selector: spec.selector,
});

interface Parts extends Controllers {
  readonly kube: Kube;
  readonly pods: Pods;
  readonly identities: Identities;
  readonly trigger: (name: LoopName) => void;
  readonly onIdentity: () => void;
}

const createLoops = (ground: Ground, parts: Parts): Readonly<Record<LoopName, Loop>> => {
  const { kube, world, book, xds, operator, trigger } = parts;
  const { now, signal, onError, delayOf } = ground;
  const deployments = createDeployments(kube, world, ground.randomFor('pod names'), now);
  const kubelet = createKubelet({
    kube,
    world,
    pods: parts.pods,
    book,
    faults: parts.faults,
    readinessDelay: delayOf('readiness'),
    crashDelay: delayOf('crashSeen'),
    identityDelay: delayOf('identityChange'),
    onIdentity: () => {
      trigger('objects');
      parts.onIdentity();
    },
    now,
    again: () => trigger('kubelet'),
    signal,
    onError,
  });
  const slices = createEndpointSlices(kube, world);
  const objects = createAgentObjects(kube, world, book, parts.identities);
  const loop = (reconcile: () => Promise<void>, delay: () => number = () => 0): Loop => createLoop({ reconcile, delay, signal, onError });
  const policyStatus = createPolicyStatus(kube, world, now);
  const routes = async (): Promise<void> => {
    await xds.routes();
    // A Gateway is programmed once it has a port, which the step above gives it.
    trigger('status');
  };
  return {
    deployments: loop(() => deployments.reconcile()),
    kubelet: loop(() => kubelet.reconcile()),
    slices: loop(() => slices.reconcile()),
    objects: loop(() => objects.reconcile(), delayOf('agent')),
    routes: loop(routes, delayOf('operator')),
    endpoints: loop(async () => xds.endpoints(), delayOf('endpointProgramming')),
    status: loop(() => operator.reconcile(), delayOf('operator')),
    policyStatus: loop(() => policyStatus.reconcile(), delayOf('operator')),
  };
};

/** What others want to know at once. */
export interface Hears {
  readonly inForce: (change: TruePolicy) => void;
  /** Some pod got an identity, or a new one. */
  readonly identity: () => void;
}

/** Starts watching and playing the controllers; ends by the ground's signal. Resolves when the first translation of routes is written. */
export const startControllers = async (ground: Ground, kube: Kube, pods: Pods, truth: TruthWriter, hears: Hears): Promise<Controllers> => {
  const { now, signal, onError, stack } = ground;
  let loops: Readonly<Record<LoopName, Loop>> | undefined;
  const trigger = (name: LoopName): void => loops?.[name].trigger();

  let world: World | undefined;
  const realisation = createRealisation({
    nodes: meshNodes.map(({ name }) => name),
    delay: ground.delayOf('policy'),
    services: () => [...(world?.services.objects.values() ?? [])].map(policyService),
    now,
    onInForce: hears.inForce,
  });
  ground.onStop(() => realisation.stop());
  const onChange = (change: Change): void => {
    if ((change.kind === 'httpRoutes' || change.kind === 'grpcRoutes') && change.object) {
      const route = change.object as Route;
      truth.routeSeen(change.key, route.metadata.generation ?? 0, now(), weightsOf(route));
    }
    const kind = policyKinds[change.kind];
    if (kind !== undefined) realisation.seen(kind, change.key, change.object);
    if (change.kind === 'services') realisation.servicesChanged();
    for (const name of concerns[change.kind]) trigger(name);
  };

  const identities = createIdentities();
  await adoptIdentities(kube, identities);
  world = watchWorld(kube, signal, onChange, onError);
  await world.synced;
  const book = createPodBook(identities, world.namespaceLabels);
  const faults = createFaultBook(world.services.objects, () => trigger('kubelet'));
  const xds = createXds({
    world,
    book,
    folder: join(stack.dir, 'envoy'),
    takePort: (purpose) => stack.ports.take(purpose),
    now,
    onInForce: (routes, at) => {
      for (const { key, generation } of routes) truth.routeInForce(key, generation, at);
    },
  });
  const operator = createOperator(kube, world, xds, now);
  loops = createLoops(ground, {
    kube,
    pods,
    identities,
    trigger,
    world,
    book,
    faults,
    xds,
    operator,
    realisation,
    onIdentity: hears.identity,
  });
  for (const each of Object.values(loops)) each.trigger();
  await loops.routes.idle();
  return { world, book, faults, xds, operator, realisation };
};
