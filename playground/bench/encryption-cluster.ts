import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import type { KubeObject } from '../../src/clients/kubernetes/objects.ts';
import { patched } from '../chaos/world/json-patch.ts';

/** What an object of a kind weighs as JSON in a cluster with Cilium (bytes): what a list of them costs. */
const BYTES: Readonly<Record<string, number>> = { Pod: 9_000, CiliumEndpoint: 2_500, CiliumNode: 3_000, Node: 9_000 };
const USUAL_BYTES = 4_000;
/** As the product pages its lists (src/clients/kubernetes/cluster.ts). */
const [FIRST_PAGE, LARGEST_PAGE, PAGE_BYTES] = [20, 500, 192 * 1_024];

/** What was asked of the API server. */
export interface Asked {
  /** Requests by what they were; a list is one for each of its pages. */
  readonly requests: Readonly<Record<string, number>>;
  readonly megabytesRead: number;
}

/** An API server in this process: nodes, agents, pods. A pod of the agents that is deleted has a ready successor at once. */
export class EncryptionCluster {
  readonly nodes: readonly string[];
  readonly #objects = new Map<string, KubeObject>();
  readonly #now: () => number;
  #requests = new Map<string, number>();
  #bytes = 0;
  #version = 1;

  constructor(size: { readonly nodes: number; readonly podsPerNode: number }, now: () => number) {
    this.#now = now;
    this.nodes = Array.from({ length: size.nodes }, (_, nth) => `node-${nth + 1}`);
    const data = { 'routing-mode': 'native', 'cluster-id': '0', 'enable-hubble': 'true' };
    this.#put('ConfigMap', 'kube-system', 'cilium-config', { data });
    const image = 'quay.io/cilium/cilium:v1.20.2';
    const build = { name: 'config', image, command: ['cilium-dbg', 'build-config'] };
    const template = { spec: { containers: [{ name: 'cilium-agent', image }], initContainers: [build] } };
    this.#put('DaemonSet', 'kube-system', 'cilium', { spec: { template } });
    for (const [nth, name] of this.nodes.entries()) this.#addNode(name, nth, size.podsPerNode);
  }

  #addNode(name: string, nth: number, pods: number): void {
    const ip = `192.168.${nth >> 8}.${nth & 255}`;
    const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${nth % 3}` };
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: this.#time() }];
    this.#put('Node', '', name, { status: { conditions, nodeInfo: { kernelVersion: '6.1.0' } } }, { labels });
    this.#put('CiliumNode', '', name, { spec: { addresses: [{ type: 'InternalIP', ip }] } });
    this.#agent(name);
    for (let pod = 0; pod < pods; pod += 1) {
      const [podName, ipv4] = [`app-${nth}-${pod}`, podAddress(nth, pod)];
      const owner = { kind: 'ReplicaSet', controller: true, name: `app-${pod}`, uid: `set-${pod % 7}-${nth % 50}` };
      const meta = { ownerReferences: [owner] };
      this.#put('Pod', 'shop', podName, { spec: { nodeName: name, containers: [] }, status: { conditions } }, meta);
      this.#put('CiliumEndpoint', 'shop', podName, { status: { networking: { node: ip, addressing: [{ ipv4 }] } } });
    }
  }

  #agent(node: string): void {
    const at = this.#time();
    const name = `cilium-${node}-${this.#version}`;
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: at }];
    const meta = {
      labels: { 'k8s-app': 'cilium' },
      ownerReferences: [{ kind: 'DaemonSet', name: 'cilium', uid: 'DaemonSet/kube-system/cilium', controller: true }],
    };
    const containers = [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.20.2' }];
    this.#put('Pod', 'kube-system', name, { spec: { nodeName: node, containers }, status: { startTime: at, conditions } }, meta);
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }

  #put(kind: string, namespace: string, name: string, body: object, meta: object = {}): KubeObject {
    this.#version += 1;
    const metadata = {
      name,
      namespace,
      uid: kind === 'Pod' ? `${name}-uid` : `${kind}/${namespace}/${name}`,
      resourceVersion: `${this.#version}`,
      generation: 1,
    };
    const object = {
      apiVersion: 'v1',
      kind,
      metadata: { ...metadata, creationTimestamp: this.#time(), ...meta },
      ...body,
    } as unknown as KubeObject;
    this.#objects.set(`${kind}/${namespace}/${name}`, object);
    return object;
  }

  /** Every agent has done what it was told: keys are published, and pods carry them. */
  encrypts(nodes: readonly string[]): void {
    for (const [nth, name] of this.nodes.entries()) {
      if (!nodes.includes(name)) continue;
      const annotations = { 'network.cilium.io/wg-pub-key': `key of ${name}` };
      const ip = `192.168.${nth >> 8}.${nth & 255}`;
      this.#put('CiliumNode', '', name, { spec: { addresses: [{ type: 'InternalIP', ip }], encryption: { key: 255 } } }, { annotations });
      for (const [key, object] of this.#objects) {
        if (!key.startsWith(`CiliumEndpoint/shop/app-${nth}-`)) continue;
        const status = { ...(object.status as object), encryption: { key: 255 } };
        this.#objects.set(key, { ...object, status } as unknown as KubeObject);
      }
    }
  }

  /** What was asked since the last time. */
  asked(): Asked {
    const asked = { requests: Object.fromEntries(this.#requests), megabytesRead: Math.round(this.#bytes / 1e5) / 10 };
    this.#requests = new Map();
    this.#bytes = 0;
    return asked;
  }

  #ask(what: string, requests: number, bytes: number): void {
    this.#requests.set(what, (this.#requests.get(what) ?? 0) + requests);
    this.#bytes += bytes;
  }

  readonly client = {
    read: async ({ kind, namespace, name }: Ref) => {
      this.#ask(`get ${kind}`, 1, bytesOf(kind));
      return this.#objects.get(`${kind}/${namespace}/${name}`);
    },
    list: async (
      { kind }: Ref,
      {
        namespace,
        labelSelector,
        fieldSelector,
      }: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
      { part = (object: KubeObject): unknown => object }: { readonly part?: (object: KubeObject) => unknown } = {},
    ) => {
      const prefix = namespace === undefined ? `${kind}/` : `${kind}/${namespace}/`;
      const found: KubeObject[] = [];
      for (const [key, object] of this.#objects)
        if (key.startsWith(prefix) && isMeant(object, labelSelector, fieldSelector)) found.push(object);
      this.#ask(`list ${kind}`, pagesOf(found.length, bytesOf(kind)), found.length * bytesOf(kind));
      return { items: found.map(part), resourceVersion: `${this.#version}` };
    },
    patch: async ({ kind, namespace, name }: Ref, ops: Parameters<typeof patched>[1], options: Dry) => {
      this.#ask(`patch ${kind}${options.dryRun ? ' (dry)' : ''}`, 1, bytesOf(kind));
      const object = patched(this.#objects.get(`${kind}/${namespace}/${name}`), ops) as KubeObject;
      if (!options.dryRun) this.#objects.set(`${kind}/${namespace}/${name}`, object);
      return object;
    },
    create: async (object: KubeObject, { kind, namespace, name }: Ref, options: Dry) => {
      this.#ask(`create ${kind}${options.dryRun ? ' (dry)' : ''}`, 1, bytesOf(kind));
      const { metadata, ...body } = object;
      return options.dryRun ? object : this.#put(kind, namespace, name, body, metadata);
    },
    remove: async ({ kind, namespace, name }: Ref, _version: object, options: Dry) => {
      this.#ask(`delete ${kind}${options.dryRun ? ' (dry)' : ''}`, 1, 0);
      const key = `${kind}/${namespace}/${name}`;
      const object = this.#objects.get(key);
      if (options.dryRun || !object) return;
      this.#objects.delete(key);
      if (kind === 'Pod') this.#agent(String((object.spec as { readonly nodeName?: string }).nodeName));
    },
    mayI: async () => {
      this.#ask('create SelfSubjectAccessReview', 1, 500);
      return { allowed: true, reason: '' };
    },
  } as unknown as Cluster;
}

interface Ref {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
interface Dry {
  readonly dryRun?: boolean;
}

export function podAddress(node: number, pod: number): string {
  return `10.${node >> 8}.${node & 255}.${pod + 1}`;
}

function bytesOf(kind: string): number {
  return BYTES[kind] ?? USUAL_BYTES;
}

function pagesOf(count: number, bytes: number): number {
  const page = Math.min(LARGEST_PAGE, Math.max(1, Math.floor(PAGE_BYTES / bytes)));
  return 1 + Math.ceil(Math.max(0, count - FIRST_PAGE) / page);
}

function isMeant({ metadata, spec }: KubeObject, labels: string | undefined, fields: string | undefined): boolean {
  const [label, value] = labels?.split('=') ?? [];
  if (label !== undefined && metadata.labels?.[label] !== value) return false;
  const [field, node] = fields?.split('=') ?? [];
  return field === undefined || (spec as { readonly nodeName?: string } | undefined)?.nodeName === node;
}
