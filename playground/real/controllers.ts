import { createDeployments } from '../cilium/deployments.ts';
import { createEndpointSlices } from '../cilium/endpoint-slices.ts';
import { createFaultBook, type FaultBook } from '../cilium/faults.ts';
import { weightsOf } from '../cilium/gateway/translate.ts';
import type { Ground } from '../cilium/ground.ts';
import { createIdentities } from '../cilium/identities.ts';
import type { Kube } from '../cilium/kube/client.ts';
import { createLoop, type Loop } from '../cilium/kube/loop.ts';
import type { Pod, Route } from '../cilium/kube/types.ts';
import type { MeshNode } from '../cilium/nodes.ts';
import { createPodBook, type PodBook } from '../cilium/pod-book.ts';
import { createSets } from '../cilium/sets.ts';
import type { TruthWriter } from '../cilium/truth.ts';
import { type Change, type Kind, type World, watchWorld } from '../cilium/world.ts';
import type { Cni } from './cni.ts';
import { createRealKubelet } from './kubelet.ts';
import type { PodProcess } from './pod-process.ts';
import type { PolicyTruth } from './policy-truth.ts';

export interface RealControllers {
  readonly world: World;
  readonly book: PodBook;
  readonly faults: FaultBook;
  pod(key: string): Pod | undefined;
}

type LoopName = 'deployments' | 'sets' | 'kubelet' | 'slices';

/** Which loops a change sets off; Cilium's own programs watch for themselves. */
const concerns: Readonly<Partial<Record<Kind, readonly LoopName[]>>> = {
  deployments: ['deployments'],
  statefulSets: ['sets'],
  daemonSets: ['sets'],
  pods: ['kubelet', 'deployments', 'sets', 'slices'],
  services: ['slices', 'kubelet'],
  slices: ['slices'],
};

const policyKinds: Readonly<Partial<Record<Kind, string>>> = {
  ciliumPolicies: 'CiliumNetworkPolicy',
  clusterwidePolicies: 'CiliumClusterwideNetworkPolicy',
  networkPolicies: 'NetworkPolicy',
};

export interface RealControllersOptions {
  readonly nodes: readonly MeshNode[];
  readonly cni: ReadonlyMap<string, Cni>;
  readonly pods: PodProcess;
  readonly truth: TruthWriter;
  readonly policies: PolicyTruth;
  /** Pods or Services have changed. */
  readonly onChange: (change: Change) => void;
}

/** Plays the controllers that a cluster has beside Cilium: Deployments, StatefulSets, DaemonSets, EndpointSlices and kubelets. Ends by the ground's signal. */
export async function startRealControllers(ground: Ground, kube: Kube, options: RealControllersOptions): Promise<RealControllers> {
  const { now, signal, onError } = ground;
  let loops: Readonly<Record<LoopName, Loop>> | undefined;
  const trigger = (name: LoopName): void => loops?.[name].trigger();
  const world = watchWorld(
    kube,
    signal,
    (change) => {
      const { kind, key, object } = change;
      if ((kind === 'httpRoutes' || kind === 'grpcRoutes') && object) {
        const route = object as Route;
        options.truth.routeSeen(key, route.metadata.generation ?? 0, now(), weightsOf(route));
      }
      const policyKind = policyKinds[kind];
      if (policyKind !== undefined) options.policies.seen(policyKind, key, object);
      for (const name of concerns[kind] ?? []) trigger(name);
      options.onChange(change);
    },
    onError,
  );
  await world.synced;
  const book = createPodBook(createIdentities(), world.namespaceLabels);
  const faults = createFaultBook(world.services.objects, () => trigger('kubelet'));
  const deployments = createDeployments(kube, world, ground.randomFor('pod names'), now, options.nodes);
  const sets = createSets(kube, world, ground.randomFor('pod names of sets'), now, options.nodes);
  const again = (): void => trigger('kubelet');
  const kubelet = createRealKubelet({ ...options, kube, world, book, faults, now, again, signal, onError });
  const slices = createEndpointSlices(kube, world);
  const loop = (reconcile: () => Promise<void>): Loop => createLoop({ reconcile, delay: () => 0, signal, onError });
  loops = {
    deployments: loop(() => deployments.reconcile()),
    sets: loop(() => sets.reconcile()),
    kubelet: loop(() => kubelet.reconcile()),
    slices: loop(() => slices.reconcile()),
  };
  for (const each of Object.values(loops)) each.trigger();
  return { world, book, faults, pod: (key) => world.pods.objects.get(key) };
}
