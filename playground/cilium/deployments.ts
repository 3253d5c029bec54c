/** Plays the Deployment and ReplicaSet controllers and the scheduler: as many pods as wanted, of the template wanted, spread over the nodes. */
import { createHash } from 'node:crypto';
import { type Kube, KubeError } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { type Deployment, isReady, type KubeObject, type Pod } from './kube/types.ts';
import { type MeshNode, meshNodes } from './nodes.ts';
import { createPodMaker, emptiest, lettersOf, podFrom, suffix } from './pod-maker.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** The pod-template-hash of a Deployment: changes when its template does. */
export function templateHash(deployment: Deployment): string {
  const digest = createHash('sha256').update(JSON.stringify(deployment.spec.template)).digest();
  return lettersOf(digest.subarray(0, 9));
}

/** The Deployment a pod belongs to, out of its ReplicaSet's name; undefined for pods of no Deployment. */
export function deploymentOf(pod: Pod): string | undefined {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.kind === 'ReplicaSet')?.name;
  return owner?.slice(0, owner.lastIndexOf('-'));
}

/** The workload of a pod, as an agent names it in flows. */
export function workloadOf(pod: Pod): { readonly name: string; readonly kind: string } {
  const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'StatefulSet' || kind === 'DaemonSet');
  return owner ? { name: owner.name, kind: owner.kind } : { name: deploymentOf(pod) ?? pod.metadata.name, kind: 'Deployment' };
}

export interface Deployments {
  reconcile(): Promise<void>;
}

/** The controller; `reconcile` brings every Deployment one step closer and is called again after each change. */
export function createDeployments(
  kube: Kube,
  world: World,
  random: Random,
  now: () => number,
  nodes: readonly MeshNode[] = meshNodes,
): Deployments {
  const { known, create: made } = createPodMaker(kube, world, now);
  const sets = new Map<string, KubeObject>();

  const ensureSet = async (deployment: Deployment, hash: string): Promise<KubeObject> => {
    const name = `${deployment.metadata.name}-${hash}`;
    const key = `${deployment.metadata.uid}/${name}`;
    const labels = { ...deployment.spec.template.metadata?.labels, 'pod-template-hash': hash };
    const replicas = deployment.spec.replicas ?? 1;
    const existing = sets.get(key);
    if (existing) return existing;
    const set = await kube.apply(resources.replicaSets, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace: deployment.metadata.namespace ?? '',
        labels,
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: deployment.metadata.name,
            uid: deployment.metadata.uid ?? '',
            controller: true,
          },
        ],
      },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { ...deployment.spec.template, metadata: { ...deployment.spec.template.metadata, labels } },
      },
    } as KubeObject);
    sets.set(key, set);
    return set;
  };

  const create = async (deployment: Deployment, hash: string, mine: readonly Pod[]): Promise<Pod | undefined> => {
    const set = await ensureSet(deployment, hash);
    const node = emptiest(nodes, mine, known());
    const labels = { 'pod-template-hash': hash };
    return made(podFrom(set, deployment.spec.template, { name: `${set.metadata.name}-${suffix(random, 5)}`, node, labels }));
  };

  const reconcileOne = async (deployment: Deployment): Promise<void> => {
    const hash = templateHash(deployment);
    const wanted = deployment.spec.replicas ?? 1;
    const mine = known().filter(
      (pod) =>
        pod.metadata.namespace === deployment.metadata.namespace &&
        deploymentOf(pod) === deployment.metadata.name &&
        pod.metadata.deletionTimestamp === undefined,
    );
    const current = mine.filter((pod) => pod.metadata.labels?.['pod-template-hash'] === hash);
    const old = mine.filter((pod) => !current.includes(pod));
    const grown = [...current];
    while (grown.length < wanted) {
      const pod = await create(deployment, hash, grown);
      if (!pod) break;
      grown.push(pod);
    }
    // Surplus pods that never became ready go first, as the ReplicaSet controller chooses.
    const surplus = current
      .toSorted((one, other) => Number(isReady(one)) - Number(isReady(other)))
      .slice(0, Math.max(0, current.length - wanted));
    const replaced = current.filter(isReady).length >= wanted ? old : [];
    for (const pod of [...surplus, ...replaced]) await kube.remove(resources.pods, pod);
    await writeStatus(kube, deployment, mine, current);
  };

  return {
    reconcile: async () => {
      for (const deployment of world.deployments.objects.values()) await reconcileOne(deployment);
      for (const pod of world.pods.objects.values()) {
        const owner = deploymentOf(pod);
        const orphan = owner !== undefined && !world.deployments.objects.has(`${pod.metadata.namespace}/${owner}`);
        if (orphan) await kube.remove(resources.pods, pod);
      }
    },
  };
}

async function writeStatus(kube: Kube, deployment: Deployment, mine: readonly Pod[], current: readonly Pod[]): Promise<void> {
  const ready = mine.filter(isReady).length;
  const available = ready >= (deployment.spec.replicas ?? 1);
  const status = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: mine.length,
    updatedReplicas: current.length,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, (deployment.spec.replicas ?? 1) - ready),
  };
  const before = deployment.status ?? {};
  if (Object.entries(status).every(([name, value]) => (before[name] ?? 0) === value) && before['conditions'] !== undefined) return;
  const condition = {
    type: 'Available',
    status: available ? 'True' : 'False',
    reason: available ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
  };
  await kube
    .merge(resources.deployments, deployment, { status: { ...status, conditions: [condition] } }, 'status')
    .catch((error: unknown) => {
      // Deleted meanwhile: nothing left to report on.
      if (!(error instanceof KubeError && error.status === 404)) throw error;
    });
}
