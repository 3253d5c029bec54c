/**
 * Plays the StatefulSet and DaemonSet controllers. A StatefulSet's pods have ordinals, come one after the other from 0 up and come back under their
 * names; a DaemonSet has one pod on each node and makes it there again. A new template replaces one pod at a time: the highest ordinal first.
 */
import { createHash } from 'node:crypto';
import { type Kube, KubeError } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { type DaemonSet, isReady, type KubeObject, type Pod, type PodTemplate, type StatefulSet } from './kube/types.ts';
import { type MeshNode, meshNodes } from './nodes.ts';
import { createPodMaker, emptiest, lettersOf, podFrom, suffix } from './pod-maker.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const REVISION = 'controller-revision-hash';

function revisionOf({ metadata }: KubeObject, template: PodTemplate): string {
  return `${metadata.name}-${lettersOf(createHash('sha256').update(JSON.stringify(template)).digest().subarray(0, 9))}`;
}

const isOld = (pod: Pod, revision: string): boolean => pod.metadata.labels?.[REVISION] !== revision;

const ordinalOf = ({ metadata }: Pod): number => Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));

function madeBy(pod: Pod, { kind, metadata }: KubeObject): boolean {
  const { namespace, ownerReferences = [] } = pod.metadata;
  return namespace === metadata.namespace && ownerReferences.some((owner) => owner.kind === kind && owner.name === metadata.name);
}

const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

/** The controllers; `reconcile` brings every set one step closer and is called again after each change. */
export function createSets(
  kube: Kube,
  world: World,
  random: Random,
  now: () => number,
  nodes: readonly MeshNode[] = meshNodes,
): { reconcile(): Promise<void> } {
  const { known, create } = createPodMaker(kube, world, now);
  // Members of a list carry no kind of their own.
  const stateful = () => [...world.statefulSets.objects.values()].map((set) => ({ ...set, kind: 'StatefulSet' }));
  const daemon = () => [...world.daemonSets.objects.values()].map((set) => ({ ...set, kind: 'DaemonSet' }));
  const podsOf = (owner: KubeObject): readonly Pod[] => known().filter((pod) => madeBy(pod, owner));

  /** What is missing comes first, the lowest ordinal, once all below it are ready; then what is too much goes, then what is old, the highest first. */
  const stepStateful = async (set: StatefulSet): Promise<void> => {
    const { template, replicas = 1, podManagementPolicy } = set.spec;
    const revision = revisionOf(set, template);
    const mine = podsOf(set);
    const isInOrder = podManagementPolicy !== 'Parallel';
    for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
      const pod = mine.find((one) => ordinalOf(one) === ordinal);
      if (!pod) {
        const name = `${set.metadata.name}-${ordinal}`;
        const labels = {
          [REVISION]: revision,
          'statefulset.kubernetes.io/pod-name': name,
          'apps.kubernetes.io/pod-index': String(ordinal),
        };
        await create(podFrom(set, template, { name, node: emptiest(nodes, mine, known()), labels }));
      }
      if (isInOrder && !(pod && isReady(pod) && !isGoing(pod))) return;
    }
    const down = mine.toSorted((one, other) => ordinalOf(other) - ordinalOf(one));
    if (down.some((pod) => isGoing(pod) || (isInOrder && !isReady(pod)))) return;
    const next = down.find((pod) => ordinalOf(pod) >= replicas) ?? down.find((pod) => isOld(pod, revision));
    if (next) await kube.remove(resources.pods, next);
  };

  const stepDaemon = async (set: DaemonSet): Promise<void> => {
    const { template } = set.spec;
    const revision = revisionOf(set, template);
    const mine = podsOf(set);
    for (const { name: node } of nodes) {
      if (mine.some((pod) => pod.spec.nodeName === node)) continue;
      const name = `${set.metadata.name}-${suffix(random, 5)}`;
      await create(podFrom(set, template, { name, node, labels: { [REVISION]: revision } }));
    }
    if (mine.length < nodes.length || mine.some((pod) => isGoing(pod) || !isReady(pod))) return;
    const next = mine.find((pod) => isOld(pod, revision));
    if (next) await kube.remove(resources.pods, next);
  };

  const sweep = async (): Promise<void> => {
    const owners: readonly KubeObject[] = [...stateful(), ...daemon()];
    for (const pod of world.pods.objects.values()) {
      const isOfSet = pod.metadata.ownerReferences?.some(({ kind }) => kind === 'StatefulSet' || kind === 'DaemonSet') ?? false;
      if (isOfSet && !owners.some((owner) => madeBy(pod, owner))) await kube.remove(resources.pods, pod);
    }
  };

  return {
    reconcile: async () => {
      for (const set of stateful()) {
        await stepStateful(set);
        await writeStatus(kube, resources.statefulSets, set, {
          replicas: podsOf(set).length,
          readyReplicas: podsOf(set).filter(isReady).length,
        });
      }
      for (const set of daemon()) {
        await stepDaemon(set);
        const numberReady = podsOf(set).filter(isReady).length;
        const scheduled = { currentNumberScheduled: podsOf(set).length, desiredNumberScheduled: nodes.length, numberMisscheduled: 0 };
        await writeStatus(kube, resources.daemonSets, set, { ...scheduled, numberReady });
      }
      await sweep();
    },
  };
}

type Status = Readonly<Record<string, number>>;

async function writeStatus(
  kube: Kube,
  of: (typeof resources)['statefulSets' | 'daemonSets'],
  set: StatefulSet | DaemonSet,
  counts: Status,
): Promise<void> {
  const status = { ...counts, observedGeneration: set.metadata.generation ?? 0 };
  if (Object.entries(status).every(([name, value]) => (set.status?.[name] ?? 0) === value)) return;
  await kube.merge(of, set, { status }, 'status').catch((error: unknown) => {
    // Deleted meanwhile: nothing left to report on.
    if (!(error instanceof KubeError && error.status === 404)) throw error;
  });
}
