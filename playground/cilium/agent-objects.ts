/** Plays the agents' writes: Node and CiliumNode for each node, CiliumIdentity for each set of labels, CiliumEndpoint for each pod. */
import { type Identities, securityLabels } from './identities.ts';
import { type Kube, KubeError } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import type { KubeObject } from './kube/types.ts';
import { type MeshNode, meshNodes } from './nodes.ts';
import type { PodBook, PodFacts } from './pod-book.ts';
import type { World } from './world.ts';

function nodeObject(node: MeshNode): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: { 'kubernetes.io/hostname': node.name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    spec: { podCIDR: node.podCidr, podCIDRs: [node.podCidr] },
  } as KubeObject;
}

function nodeStatus(node: MeshNode, now: string): object {
  return {
    addresses: [
      { type: 'InternalIP', address: node.hostAddress },
      { type: 'Hostname', address: node.name },
    ],
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
        lastTransitionTime: now,
        lastHeartbeatTime: now,
      },
      {
        type: 'NetworkUnavailable',
        status: 'False',
        reason: 'CiliumIsUp',
        message: 'Cilium is running on this node',
        lastTransitionTime: now,
        lastHeartbeatTime: now,
      },
    ],
    capacity: { cpu: '4', memory: '8Gi', pods: '110' },
    allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
  };
}

function ciliumNodeObject(node: MeshNode): KubeObject {
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNode',
    metadata: { name: node.name },
    spec: {
      addresses: [
        { type: 'InternalIP', ip: node.hostAddress },
        { type: 'CiliumInternalIP', ip: `10.244.${node.index}.1` },
      ],
      bootid: `boot-${node.name}`,
      encryption: {},
      health: { ipv4: `10.244.${node.index}.3` },
      ingress: { ipv4: node.ingressAddress },
      ipam: { podCIDRs: [node.podCidr] },
    },
  } as KubeObject;
}

/** Writes Node and CiliumNode of every node. */
export async function createNodes(kube: Kube, now: string): Promise<void> {
  for (const node of meshNodes) {
    await createNode(kube, node, now);
    await kube.apply(resources.ciliumNodes, ciliumNodeObject(node));
  }
}

/** Writes a Node, as its kubelet does. */
export async function createNode(kube: Kube, node: MeshNode, now: string): Promise<void> {
  const object = await kube.apply(resources.nodes, nodeObject(node));
  await kube.merge(resources.nodes, object, { status: nodeStatus(node, now) }, 'status');
}

function endpointObject(facts: PodFacts, uid: string, key: number): KubeObject {
  const host = meshNodes.find((node) => node.name === facts.node)?.hostAddress ?? '';
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEndpoint',
    metadata: {
      name: facts.name,
      namespace: facts.namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: facts.name, uid }],
    },
    status: {
      id: facts.endpointId,
      'external-identifiers': {
        'k8s-namespace': facts.namespace,
        'k8s-pod-name': facts.name,
        'pod-name': facts.key,
      },
      identity: { id: facts.identity, labels: [...facts.labels] },
      networking: { addressing: [{ ipv4: facts.ip }], node: host },
      encryption: key === 0 ? {} : { key },
      state: 'ready',
    },
  } as KubeObject;
}

function identityObject(id: number, labels: readonly string[]): KubeObject {
  const security = securityLabels(labels);
  const namespace = security['k8s:io.kubernetes.pod.namespace'];
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumIdentity',
    metadata: { name: String(id), ...(namespace === undefined ? {} : { labels: { 'io.kubernetes.pod.namespace': namespace } }) },
    'security-labels': security,
  } as KubeObject;
}

/** The agents' loop body: identities first, since endpoints refer to them. */
export function createAgentObjects(
  kube: Kube,
  world: World,
  book: PodBook,
  identities: Identities,
  /** What the endpoints of a node carry. */
  keyOn: (node: string) => number,
): { reconcile(): Promise<void> } {
  const written = new Map<string, string>();
  const known = new Set<number>();

  const writeEndpoint = async (facts: PodFacts): Promise<void> => {
    const pod = world.pods.objects.get(facts.key);
    if (!pod) return;
    const object = endpointObject(facts, pod.metadata.uid ?? '', keyOn(facts.node));
    const text = JSON.stringify(object);
    if (written.get(facts.key) === text) return;
    await put(object, keyOn(facts.node));
    written.set(facts.key, text);
  };

  /** As an agent does: made once, then its status is written over. */
  const put = async (object: KubeObject, key: number): Promise<void> => {
    try {
      await kube.create(resources.ciliumEndpoints, object);
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 409)) throw error;
      const { metadata, status } = object as KubeObject & { readonly status: object };
      const { ownerReferences } = metadata;
      await kube.merge(resources.ciliumEndpoints, object, {
        metadata: { ownerReferences },
        status: { ...status, encryption: { key: key === 0 ? null : key } },
      });
    }
  };

  return {
    reconcile: async () => {
      for (const { id, labels } of identities.all()) {
        if (known.has(id)) continue;
        await kube.apply(resources.ciliumIdentities, identityObject(id, labels));
        known.add(id);
      }
      const pods = [...book.all()];
      for (const facts of pods) await writeEndpoint(facts);
      for (const key of written.keys()) {
        if (pods.some((facts) => facts.key === key)) continue;
        const [namespace = '', name = ''] = key.split('/');
        await kube.remove(resources.ciliumEndpoints, { metadata: { namespace, name } });
        written.delete(key);
      }
    },
  };
}

/** Takes over the identities that an earlier run left in the cluster, so that numbers stay what they were. */
export async function adoptIdentities(kube: Kube, identities: Identities): Promise<void> {
  const list = await kube.list<KubeObject & { readonly 'security-labels'?: Readonly<Record<string, string>> }>(resources.ciliumIdentities);
  for (const object of list.items) {
    const labels = Object.entries(object['security-labels'] ?? {}).map(([key, value]) => `${key}=${value}`);
    const id = Number(object.metadata.name);
    if (!Number.isInteger(id)) throw new KubeError(0, `CiliumIdentity ${object.metadata.name} is not a number.`);
    identities.adopt(id, labels.toSorted());
  }
}
