/** The control loops and what sets each of them off. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { PolicyService } from '../../src/domain/policy/flow.ts';
import type { PolicyKind } from '../../src/domain/policy/policy.ts';
import { identityTimesOf } from '../../src/domain/policy/stages/identity-wait.ts';
import { adoptIdentities, createAgentObjects } from './agent-objects.ts';
import type { CiliumSettings } from './apply-manifests.ts';
import { createDeployments } from './deployments.ts';
import { adoptedStates, createEncryptionAgents, type EncryptionAgents } from './encryption/agents.ts';
import { createEndpointSlices } from './endpoint-slices.ts';
import { createFaultBook, type FaultBook } from './faults.ts';
import { createOperator, type Operator } from './gateway/operator.ts';
import { weightsOf } from './gateway/translate.ts';
import { createXds, type Xds } from './gateway/xds.ts';
import type { Ground } from './ground.ts';
import { createIdentities, type Identities } from './identities.ts';
import type { Kube } from './kube/client.ts';
import { createLoop, type Loop } from './kube/loop.ts';
import type { Route, Service } from './kube/types.ts';
import { createKubelet } from './kubelet.ts';
import { meshNodes } from './nodes.ts';
import { createPodBook, type PodBook } from './pod-book.ts';
import { createPolicyStatus } from './policy/policy-status.ts';
import { createRealisation, type Realisation, type TruePolicy } from './policy/realisation.ts';
import { createSets } from './sets.ts';
import type { TruthWriter } from './truth.ts';
import type { Pods } from './workloads/pods.ts';
import { type Change, type Kind, type World, watchWorld } from './world.ts';

export interface Controllers {
  readonly world: World;
  readonly book: PodBook;
  readonly faults: FaultBook;
  readonly xds: Xds;
  readonly operator: Operator;
  readonly realisation: Realisation;
  readonly encryption: EncryptionAgents;
}

type LoopName = 'agents' | 'deployments' | 'sets' | 'kubelet' | 'slices' | 'objects' | 'routes' | 'endpoints' | 'status' | 'policyStatus';

/** Which loops a change sets off. */
const concerns: Readonly<Record<Kind, readonly LoopName[]>> = {
  namespaces: ['status', 'objects', 'kubelet'],
  deployments: ['deployments'],
  statefulSets: ['sets'],
  daemonSets: ['sets'],
  agentPods: ['agents'],
  pods: ['kubelet', 'deployments', 'sets', 'slices', 'objects'],
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

function policyService({ metadata, spec }: Service): PolicyService {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: metadata.labels,
    selector: spec.selector,
  };
}

interface Parts extends Controllers {
  readonly kube: Kube;
  readonly pods: Pods;
  readonly identities: Identities;
  readonly trigger: (name: LoopName) => void;
  readonly onIdentity: () => void;
  readonly config: CiliumSettings;
}

/** By chance below `identity-max-jitter`, then `identity-change-grace-period`, then what the agent itself takes (v1.20.2 pkg/endpoint). */
function identityDelay({ delayOf, randomFor }: Ground, config: CiliumSettings): () => number {
  const [random, own] = [randomFor('identity jitter'), delayOf('identityChange')];
  const { jitterMs, graceMs } = identityTimesOf(config);
  return () => random() * jitterMs + graceMs + own();
}

function createLoops(ground: Ground, parts: Parts): Readonly<Record<LoopName, Loop>> {
  const { kube, world, book, xds, operator, trigger } = parts;
  const { now, signal, onError, delayOf } = ground;
  const deployments = createDeployments(kube, world, ground.randomFor('pod names'), now);
  const sets = createSets(kube, world, ground.randomFor('pod names of sets'), now);
  const kubelet = createKubelet({
    kube,
    world,
    pods: parts.pods,
    book,
    faults: parts.faults,
    readinessDelay: delayOf('readiness'),
    crashDelay: delayOf('crashSeen'),
    identityDelay: identityDelay(ground, parts.config),
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
  const objects = createAgentObjects(kube, world, book, parts.identities, (node) => parts.encryption.keyOf(node));
  const loop = (reconcile: () => Promise<void>, delay: () => number = () => 0): Loop => createLoop({ reconcile, delay, signal, onError });
  const policyStatus = createPolicyStatus(kube, world, now);
  const routes = async (): Promise<void> => {
    await xds.routes();
    // A Gateway is programmed once it has a port, which the step above gives it.
    trigger('status');
  };
  return {
    agents: loop(() => parts.encryption.reconcile()),
    deployments: loop(() => deployments.reconcile()),
    sets: loop(() => sets.reconcile()),
    kubelet: loop(() => kubelet.reconcile()),
    slices: loop(() => slices.reconcile()),
    objects: loop(() => objects.reconcile(), delayOf('agent')),
    routes: loop(routes, delayOf('operator')),
    endpoints: loop(async () => xds.endpoints(), delayOf('endpointProgramming')),
    status: loop(() => operator.reconcile(), delayOf('operator')),
    policyStatus: loop(() => policyStatus.reconcile(), delayOf('operator')),
  };
}

/** What others want to know at once. */
export interface Hears {
  readonly inForce: (change: TruePolicy) => void;
  /** Some pod got an identity, or a new one. */
  readonly identity: () => void;
  /** What some node publishes or does has changed. */
  readonly encryption: () => void;
}

/** Starts watching and playing the controllers; ends by the ground's signal. Resolves when the first translation of routes is written. */
export async function startControllers(
  ground: Ground,
  kube: Kube,
  config: CiliumSettings,
  pods: Pods,
  truth: TruthWriter,
  hears: Hears,
): Promise<Controllers> {
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
  const names = ground.randomFor('agent names');
  const encryption = createEncryptionAgents({
    kube,
    nodes: meshNodes,
    pods: world.agentPods.objects,
    before: await adoptedStates(kube),
    stopDelay: ground.delayOf('agentStop'),
    startDelay: ground.delayOf('agentStart'),
    encryptDelay: ground.delayOf('encryptLag'),
    offGap: ground.delayOf('encryptGap'),
    name: () =>
      `cilium-${Math.floor(names() * 36 ** 5)
        .toString(36)
        .padStart(5, '0')}`,
    key: () => randomBytes(32).toString('base64'),
    now,
    onChange: () => {
      trigger('objects');
      hears.encryption();
    },
    again: () => trigger('agents'),
    signal,
    onError,
  });
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
    encryption,
    onIdentity: hears.identity,
    config,
  });
  for (const each of Object.values(loops)) each.trigger();
  await loops.routes.idle();
  return { world, book, faults, xds, operator, realisation, encryption };
}
