import type { Flow } from '../../../activities/clients/hubble/flow.ts';
import { timestampOf } from '../../../activities/clients/hubble/flow.ts';
import {
  CILIUM_ENDPOINT,
  CILIUM_POLICY,
  type CiliumEndpoint,
  CONFIG_MAP,
  DEPLOYMENT,
  type KubeObject,
  NAMESPACE as NAMESPACE_KIND,
  POD,
} from '../../../activities/clients/kubernetes/objects.ts';
import { inForce } from '../../../activities/policy/world.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { ObjectRef } from '../../../src/domain/plan.ts';
import { compilePolicies, type Evaluator } from '../../../src/domain/policy/evaluator.ts';
import type { PolicyFlow } from '../../../src/domain/policy/flow.ts';
import type { Random } from '../random.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Agents } from './agents.ts';
import type { ApiServer, Change, Writer } from './api-server.ts';
import { CANDIDATES, type CandidateName } from './candidates.ts';
import { NAMESPACE, NODES, SERVICE_NAME } from './mesh.ts';

const SETUP: Writer = { kind: 'controller', name: 'setup' };
const AGENT: Writer = { kind: 'controller', name: 'cilium' };
/** A label takes a while to become an identity, and a policy to be taken (ms). */
const IDENTITY_MS = 700;
const VALID_MS = 120;
const EVERY_MS = 1_000;

const ref = (kind: { apiVersion: string; kind: string }, name: string): ObjectRef => ({ ...kind, namespace: NAMESPACE, name });
const SPACE = [`k8s:io.kubernetes.pod.namespace=${NAMESPACE}`, 'k8s:io.cilium.k8s.policy.cluster=default'];

/** Who talks to the workload, and to whom it talks. `pod`: which of its pods it is about. */
export interface Connection {
  readonly direction: 'ingress' | 'egress';
  readonly peer: readonly string[];
  readonly address: string;
  readonly port: number;
  readonly request?: { readonly method: string; readonly path: string };
}

const CHECKOUT = ['k8s:app=checkout', ...SPACE];
const DATABASE = ['k8s:app=database', ...SPACE];
const WORLD = ['reserved:world'];

/** What the rules of the candidates tell apart. */
export const CONNECTIONS: readonly Connection[] = [
  { direction: 'ingress', peer: CHECKOUT, address: '10.3.0.1', port: 8080, request: { method: 'GET', path: '/public/a' } },
  { direction: 'ingress', peer: CHECKOUT, address: '10.3.0.1', port: 9090 },
  { direction: 'ingress', peer: WORLD, address: '203.0.113.7', port: 8080, request: { method: 'GET', path: '/public/a' } },
  { direction: 'ingress', peer: WORLD, address: '203.0.113.7', port: 8080, request: { method: 'DELETE', path: '/admin' } },
  { direction: 'egress', peer: DATABASE, address: '10.3.0.9', port: 5432 },
  { direction: 'egress', peer: WORLD, address: '198.51.100.9', port: 443 },
];

/** Those that occur all the time; the others are tried by nobody who means well. */
const USUAL = [0, 2, 4] as const;

/** A Deployment with its pods, their identities, the policies over them, and the connections that these let through. */
export class Workload {
  readonly #api: ApiServer;
  readonly #time: VirtualTime;
  readonly #agents: Agents;
  #names = 0;
  #uuid = 0;
  #compiled: { readonly key: string; readonly evaluator: Evaluator } | undefined;
  /** Nobody connects. */
  quiet = false;

  constructor(api: ApiServer, time: VirtualTime, agents: Agents, _random: Random) {
    this.#api = api;
    this.#time = time;
    this.#agents = agents;
    const before = api.changed;
    api.changed = (change) => {
      before(change);
      this.#react(change);
    };
    api.create({ ...NAMESPACE_KIND, namespace: '', name: NAMESPACE }, { metadata: { labels: {} } }, SETUP);
    api.create(ref(DEPLOYMENT, SERVICE_NAME), { spec: { replicas: 3, selector: { matchLabels: { app: SERVICE_NAME } } } }, SETUP);
    api.create(ref(CONFIG_MAP, 'policies'), { metadata: { labels: { 'meshops.dev/policy': SERVICE_NAME } }, data: {} }, SETUP);
    this.offer('fits');
    this.scale(3);
  }

  /** What the ConfigMap holds from now on. */
  offer(name: CandidateName): void {
    this.#api.edit(ref(CONFIG_MAP, 'policies'), { kind: 'foreign', name: 'kubectl' }, (map) => ({
      ...map,
      data: { 'policy.yaml': CANDIDATES[name] },
    }));
  }

  get pods(): readonly KubeObject[] {
    return this.#api.list(POD, NAMESPACE);
  }

  get policies(): readonly KubeObject[] {
    return this.#api.list(CILIUM_POLICY, NAMESPACE);
  }

  /** So many pods, all of them new. */
  scale(count: number): void {
    for (const { metadata } of this.pods) this.#end(metadata.name);
    for (let nth = 0; nth < count; nth += 1) this.#begin();
  }

  /** The oldest pod is replaced by a new one, without the labels that somebody has put on it. */
  replaceOne(): void {
    const [oldest] = this.pods;
    if (!oldest) return;
    this.#end(oldest.metadata.name);
    this.#begin();
  }

  #begin(): void {
    const name = `${SERVICE_NAME}-pod-${++this.#names}`;
    this.#api.create(
      ref(POD, name),
      {
        metadata: { labels: { app: SERVICE_NAME } },
        spec: { nodeName: NODES.pods, containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
        status: {
          phase: 'Running',
          podIP: `10.4.${this.#names >> 8}.${this.#names & 255}`,
          conditions: [{ type: 'Ready', status: 'True' }],
        },
      },
      SETUP,
    );
    this.#api.create(
      ref(CILIUM_ENDPOINT, name),
      { status: { identity: { id: 1_000 + this.#names, labels: [...identityOf({ app: SERVICE_NAME })] } } },
      AGENT,
    );
  }

  #end(name: string): void {
    if (this.#api.read(ref(POD, name))) this.#api.remove(ref(POD, name), SETUP);
    if (this.#api.read(ref(CILIUM_ENDPOINT, name))) this.#api.remove(ref(CILIUM_ENDPOINT, name), AGENT);
  }

  /** The operator's word on a policy, the agent's on a label. */
  #react({ ref: at, by, after, before }: Change): void {
    if (by.kind === 'controller' || !after) return;
    if (at.kind === 'CiliumNetworkPolicy') {
      this.#later(VALID_MS, () =>
        this.#api.edit(at, AGENT, (policy) => ({ ...policy, status: { conditions: [{ type: 'Valid', status: 'True' }] } })),
      );
    }
    if (at.kind === 'Pod' && JSON.stringify(before?.metadata.labels) !== JSON.stringify(after.metadata.labels)) {
      const labels = [...identityOf(after.metadata.labels ?? {})];
      const endpoint = ref(CILIUM_ENDPOINT, at.name);
      this.#later(IDENTITY_MS, () =>
        this.#api.edit(endpoint, AGENT, (object) => ({ ...object, status: { identity: { id: 2_000, labels } } })),
      );
    }
  }

  #later(ms: number, work: () => unknown): void {
    this.#time.in(undefined, () => this.#time.after(ms, () => void work()));
  }

  start(): void {
    this.#time.every(EVERY_MS, () => {
      if (!this.quiet) for (const at of USUAL) this.connect(at);
    });
  }

  /** One connection to (or from) each pod, as the policies in force decide it. */
  connect(which: number): void {
    const connection = CONNECTIONS[which];
    if (!connection) return;
    for (const pod of this.pods) {
      const labels =
        (this.#api.read(ref(CILIUM_ENDPOINT, pod.metadata.name)) as CiliumEndpoint | undefined)?.status?.identity?.labels ?? [];
      const allowed = this.decider().decide(flowOf(connection, labels)).verdict === 'allowed';
      this.#agents.emit(NODES.pods, this.#record(connection, pod, labels, allowed));
    }
  }

  decider(): Evaluator {
    const policies = this.policies;
    const key = policies.map(({ metadata }) => `${metadata.uid} ${metadata.generation}`).join();
    if (this.#compiled?.key !== key) this.#compiled = { key, evaluator: compilePolicies(inForce(policies, {})) };
    return this.#compiled.evaluator;
  }

  #record({ direction, peer, address, port }: Connection, pod: KubeObject, labels: readonly string[], allowed: boolean): Flow {
    const podIP = (pod as { status?: { podIP?: string } }).status?.podIP ?? '';
    const own = { namespace: NAMESPACE, pod_name: pod.metadata.name, labels, identity: 1_000 };
    const other = { labels: peer, identity: peer === WORLD ? 2 : 3_000, ...(peer !== WORLD && { namespace: NAMESPACE, pod_name: 'peer' }) };
    const isIn = direction === 'ingress';
    return {
      uuid: `c${++this.#uuid}`,
      time: timestampOf(this.#time.now),
      node_name: NODES.pods,
      verdict: allowed ? 'FORWARDED' : 'DROPPED',
      ...(!allowed && { drop_reason_desc: 'POLICY_DENIED' }),
      event_type: { type: 5 },
      traffic_direction: isIn ? 'INGRESS' : 'EGRESS',
      is_reply: { value: false },
      l4: { TCP: { source_port: 40_000 + (this.#uuid % 20_000), destination_port: port } },
      IP: { source: isIn ? address : podIP, destination: isIn ? podIP : address },
      source: isIn ? other : own,
      destination: isIn ? own : other,
    };
  }
}

function identityOf(labels: Readonly<Record<string, string>>): readonly string[] {
  return [...Object.entries(labels).map(([key, value]) => `k8s:${key}=${value}`), ...SPACE];
}

/** A connection as the evaluator takes it; `labels`: the identity of the pod. */
export function flowOf(
  { direction, peer, address, port, request }: Connection,
  labels: readonly string[],
  withRequest = false,
): PolicyFlow {
  const own = { labels, ip: '10.4.0.1' };
  const other = { labels: peer, ip: address };
  const http = withRequest && request ? { http: { ...request, host: 'shop' } } : {};
  return {
    source: direction === 'ingress' ? other : own,
    destination: direction === 'ingress' ? own : other,
    protocol: 'TCP',
    destinationPort: port,
    ...http,
  };
}

export type PolicyDocument = KubeObject | JsonObject;
