import type { Flow } from '../../../src/clients/hubble/flow.ts';
import {
  CILIUM_ENDPOINT,
  CILIUM_POLICY,
  type CiliumEndpoint,
  CONFIG_MAP,
  DEPLOYMENT,
  type KubeObject,
  NAMESPACE as NAMESPACE_KIND,
  POD,
} from '../../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { ObjectRef } from '../../../src/domain/lifecycle/plan.ts';
import { compilePolicies, type Evaluator } from '../../../src/domain/policy/evaluator.ts';
import { inForce } from '../../../src/reading/policy/world.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Agents } from './agents.ts';
import type { ApiServer, Change, Writer } from './api-server.ts';
import { CANDIDATES, type CandidateName, OTHER_POLICIES, type OtherPolicy, WIDE } from './candidates.ts';
import { CONNECTIONS, type Connection, flowOf, identityOf, WORLD } from './connections.ts';
import { NAMESPACE, NODES, SERVICE_NAME } from './mesh.ts';
import { type Relabelling, relabelled } from './relabelling.ts';

const SETUP: Writer = { kind: 'controller', name: 'setup' };
const AGENT: Writer = { kind: 'controller', name: 'cilium' };
/** A label takes a while to become an identity, and a policy to be taken (ms). */
const IDENTITY_MS = 700;
const VALID_MS = 120;
const EVERY_MS = 1_000;
/** The second workload, where there is one. */
export const SECOND = 'frontend';
/** The policy that other hands have put there. */
const OTHERS = 'others';
const HAND: Writer = { kind: 'foreign', name: 'kubectl-edit' };

const ref = (kind: { apiVersion: string; kind: string }, name: string): ObjectRef => ({ ...kind, namespace: NAMESPACE, name });

/** Those that occur all the time; the others are tried by nobody who means well. */
const USUAL = [0, 2, 4] as const;

/** A Deployment with its pods, their identities, the policies over them, and the connections that these let through. */
export class Workload {
  readonly #api: ApiServer;
  readonly #time: VirtualTime;
  readonly #agents: Agents;
  /** Pods whose labels another hand has changed. */
  readonly #relabelled = new Set<string>();
  #names = 0;
  #uuid = 0;
  #compiled: { readonly key: string; readonly evaluator: Evaluator } | undefined;
  /** Nobody connects. */
  quiet = false;

  /** `overlaps`: there is a second workload, and what is offered for it selects the pods of the first as well. */
  constructor(api: ApiServer, time: VirtualTime, agents: Agents, overlaps: boolean) {
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
    if (overlaps) this.#furnishSecond();
  }

  #furnishSecond(): void {
    const create = (at: ObjectRef, manifest: JsonObject): KubeObject => this.#api.create(at, manifest, SETUP);
    create(ref(DEPLOYMENT, SECOND), { spec: { replicas: 2, selector: { matchLabels: { app: SECOND } } } });
    create(ref(CONFIG_MAP, 'policies-second'), {
      metadata: { labels: { 'meshops.dev/policy': SECOND } },
      data: { 'policy.yaml': WIDE },
    });
    for (let nth = 0; nth < 2; nth += 1) this.#begin(SECOND);
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

  /** Pods of the first workload, by their names: labels may be gone. */
  get #own(): readonly KubeObject[] {
    return this.pods.filter(({ metadata }) => metadata.name.startsWith(`${SERVICE_NAME}-pod-`));
  }

  /** So many pods, all of them new. */
  scale(count: number): void {
    for (const { metadata } of this.#own) this.#end(metadata.name);
    for (let nth = 0; nth < count; nth += 1) this.#begin();
  }

  /** The oldest pod is replaced by a new one, without the labels that somebody has put on it; `inPlace`: under its name. */
  replaceOne(inPlace = false): void {
    const [oldest] = this.#own;
    if (!oldest) return;
    const { name } = oldest.metadata;
    this.#end(name);
    this.#relabelled.delete(name);
    this.#begin(SERVICE_NAME, inPlace ? name : undefined);
  }

  /** Has another hand changed the labels of this pod? */
  wasRelabelled(pod: KubeObject): boolean {
    return this.#relabelled.has(pod.metadata.name);
  }

  /** A pod is not labelled as its workload wants it, or bears a label of a cohort that another hand has put there. */
  get isRelabelled(): boolean {
    return this.#own.some(({ metadata }) => metadata.labels?.['app'] === undefined || this.#relabelled.has(metadata.name));
  }

  /** Is there a second policy over the pods of the first workload, or an offer of one? */
  get overlaps(): boolean {
    return this.#api.read(ref(CILIUM_POLICY, OTHERS)) !== undefined || this.#api.read(ref(DEPLOYMENT, SECOND)) !== undefined;
  }

  /** Another hand changes the labels of one pod. */
  relabel(how: Relabelling): void {
    const changed = relabelled(how, this.pods, this.#own);
    if (!changed) return;
    const { name, labels } = changed;
    this.#api.edit(ref(POD, name), HAND, (object) => ({ ...object, metadata: { ...object.metadata, labels } }));
    this.#relabelled.add(name);
  }

  /** Another hand has this policy over the same pods from now on, or none. */
  oversee(which: OtherPolicy | 'none'): void {
    const at = ref(CILIUM_POLICY, OTHERS);
    if (this.#api.read(at)) this.#api.remove(at, HAND);
    if (which !== 'none') this.#api.create(at, { spec: structuredClone(OTHER_POLICIES[which]) as never }, HAND);
  }

  #begin(app: string = SERVICE_NAME, again?: string): void {
    const fresh = `${app}-pod-${++this.#names}`;
    const name = again ?? fresh;
    const labels = { app, tier: 'shop' };
    this.#api.create(
      ref(POD, name),
      {
        metadata: { labels },
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
      { status: { identity: { id: 1_000 + this.#names, labels: [...identityOf(labels)] } } },
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
      this.#agents.emit(NODES.pods, this.#record(connection, pod, labels, allowed), this.#time.now);
    }
  }

  decider(): Evaluator {
    const policies = this.policies;
    const key = policies.map(({ metadata }) => `${metadata.uid} ${metadata.generation}`).join();
    if (this.#compiled?.key !== key) this.#compiled = { key, evaluator: compilePolicies(inForce(policies, {})) };
    return this.#compiled.evaluator;
  }

  #record(
    { direction, peer, address, port }: Connection,
    pod: KubeObject,
    labels: readonly string[],
    allowed: boolean,
  ): Omit<Flow, 'time' | 'node_name'> {
    const podIP = (pod as { status?: { podIP?: string } }).status?.podIP ?? '';
    const own = { namespace: NAMESPACE, pod_name: pod.metadata.name, labels, identity: 1_000 };
    const other = { labels: peer, identity: peer === WORLD ? 2 : 3_000, ...(peer !== WORLD && { namespace: NAMESPACE, pod_name: 'peer' }) };
    const isIn = direction === 'ingress';
    return {
      uuid: `c${++this.#uuid}`,
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
