/** What controllers that make pods have in common. */
import { type Kube, KubeError } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { type KubeObject, keyOf, type Pod, type PodTemplate } from './kube/types.ts';
import type { MeshNode } from './nodes.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

// What Kubernetes uses for random suffixes: no vowels, so no words.
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

export function suffix(random: Random, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
}

/** Bytes in the alphabet of random suffixes. */
export function lettersOf(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => alphabet[byte % alphabet.length]).join('');
}

interface PodPlace {
  readonly name: string;
  readonly node: string;
  /** Beside those of the template. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A pod of a template, owned by the object that makes it. */
export function podFrom(owner: KubeObject, template: PodTemplate, { name, node, labels }: PodPlace): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      // By this and its owner an agent knows the workload of a pod.
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...template.metadata?.labels, ...labels },
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: owner.kind ?? '', name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true },
      ],
    },
    spec: { ...template.spec, nodeName: node, serviceAccountName: template.spec.serviceAccountName ?? 'default' },
  };
}

/** Where the scheduler puts a pod: beside the fewest of its own, then of all. */
export function emptiest(nodes: readonly MeshNode[], pods: readonly Pod[], all: Iterable<Pod>): string {
  const everyone = [...all];
  const on = (list: readonly Pod[], node: string): number => list.filter((pod) => pod.spec.nodeName === node).length;
  const [best] = nodes
    .map((node) => node.name)
    .toSorted((one, other) => on(pods, one) - on(pods, other) || on(everyone, one) - on(everyone, other) || one.localeCompare(other));
  return best ?? 'node-1';
}

const pendingMs = 10_000;

export interface PodMaker {
  /** Every pod, with those made here that the watch has not shown yet: without them a quick second run would make them again. */
  readonly known: () => readonly Pod[];
  /** Undefined where the name is taken. */
  readonly create: (pod: Pod) => Promise<Pod | undefined>;
}

export function createPodMaker(kube: Kube, world: World, now: () => number): PodMaker {
  const pending = new Map<string, { readonly pod: Pod; readonly at: number }>();
  return {
    known: () => {
      for (const [key, { at }] of pending) if (world.pods.objects.has(key) || now() - at > pendingMs) pending.delete(key);
      return [...world.pods.objects.values(), ...[...pending.values()].map(({ pod }) => pod)];
    },
    create: async (pod) => {
      try {
        const created = await kube.create(resources.pods, pod);
        pending.set(keyOf(created), { pod: created, at: now() });
        return created;
      } catch (error) {
        if (error instanceof KubeError && error.status === 409) return undefined;
        throw error;
      }
    },
  };
}
