import { MockActivityEnvironment } from '@temporalio/testing';
import { steps as policySteps } from '../../../activities/policy/steps.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import { createHub } from '../../../src/clients/kubernetes/hub.ts';
import type { ApplyResult, Inspection, PlanInput, RestoreInput, Steps, WatchInput } from '../../../src/domain/lifecycle/contract.ts';
import { type Original, objectKey, type Plan, type PlannedStage, tokenOf, type Write } from '../../../src/domain/lifecycle/plan.ts';
import type { PolicyChange } from '../../../src/domain/policy/change.ts';
import { SILENT } from '../../../src/log.ts';
import type { AuditLog, CompletedOperation } from '../../../src/ports.ts';
import { FULL } from '../../domain/policy/stages/documents.ts';
import { manifestsOf } from '../../manifests/files.ts';
import { SETTINGS } from './canary.ts';
import type { TestCluster } from './cluster.ts';
import { startAgent } from './hubble.ts';

export const POLICIES = '/apis/cilium.io/v2/namespaces/frontend/ciliumnetworkpolicies';
export const PODS = '/api/v1/namespaces/frontend/pods';
const ENDPOINTS = '/apis/cilium.io/v2/namespaces/frontend/ciliumendpoints';
/** Each step is an activity of its own; attempts of one would share what they know. */
let activityIds = 0;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
// The names of the manifests.
const OPERATOR = { user: 'meshops:operator@example.com', groups: ['meshops:operators'] };

/** Namespaces, a Deployment of four ready pods with identities, cilium-config, and the rights of the manifests. */
export async function arrangeWorkload(world: TestCluster): Promise<void> {
  for (const name of ['meshops', 'frontend', 'backend', 'database', 'external'])
    await world.admin('POST', '/api/v1/namespaces', { metadata: { name } });
  // The manifests grant the rights of one namespace; they are to be copied for each that may be changed.
  for (const manifest of manifestsOf('manifests/base').filter(({ apiVersion }) => apiVersion.startsWith('rbac.'))) {
    const { namespace } = manifest.metadata;
    const places = namespace === 'backend' ? ['backend', 'frontend'] : [namespace];
    for (const place of places) {
      const path = place === undefined ? RBAC : `${RBAC}/namespaces/${place}`;
      const metadata = { ...manifest.metadata, ...(place !== undefined && { namespace: place }) };
      await world.admin('POST', `${path}/${manifest.kind.toLowerCase()}s`, { ...manifest, metadata });
    }
  }
  const data = { 'enable-hubble': 'true', 'cluster-name': 'default' };
  await world.admin('POST', '/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'cilium-config' }, data });
  const labels = { app: 'frontend' };
  const containers = [{ name: 'main', image: 'x', ports: [{ name: 'http', containerPort: 8080 }] }];
  await world.admin('POST', '/apis/apps/v1/namespaces/frontend/deployments', {
    metadata: { name: 'frontend' },
    spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  for (let index = 1; index <= 4; index++) await addPod(world, index);
}

export async function addPod(world: TestCluster, index: number): Promise<void> {
  const name = `frontend-${index}`;
  const containers = [{ name: 'main', image: 'x', ports: [{ name: 'http', containerPort: 8080 }] }];
  await world.admin('POST', PODS, { metadata: { name, labels: { app: 'frontend' } }, spec: { nodeName: `node-${index % 3}`, containers } });
  const conditions = [{ type: 'Ready', status: 'True' }];
  const status = { phase: 'Running', podIP: `10.0.0.${index}`, conditions };
  await world.admin('PATCH', `${PODS}/${name}/status`, { status }, 'application/merge-patch+json');
  await world.admin('POST', ENDPOINTS, { apiVersion: 'cilium.io/v2', kind: 'CiliumEndpoint', metadata: { name } });
  await playAgent(world, name);
}

interface Listed {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> } }[];
}

/** What agents and operator do after a write: identities follow labels, policies are found valid. */
export async function playCilium(world: TestCluster): Promise<void> {
  const { items } = (await world.admin('GET', PODS)) as unknown as Listed;
  for (const { metadata } of items) await playAgent(world, metadata.name);
  const policies = (await world.admin('GET', POLICIES)) as unknown as Listed;
  for (const { metadata } of policies.items) {
    const status = { conditions: [{ type: 'Valid', status: 'True', lastTransitionTime: new Date().toISOString() }] };
    await world.admin('PATCH', `${POLICIES}/${metadata.name}/status`, { status }, 'application/merge-patch+json');
  }
}

async function playAgent(world: TestCluster, name: string): Promise<void> {
  const pod = (await world.admin('GET', `${PODS}/${name}`)) as unknown as Listed['items'][number];
  const labels = identityOf(pod.metadata.labels ?? {});
  await world.admin('PATCH', `${ENDPOINTS}/${name}`, { status: { identity: { id: 1_000, labels } } }, 'application/merge-patch+json');
}

export function identityOf(labels: Readonly<Record<string, string>>): readonly string[] {
  const own = Object.entries(labels).map(([key, value]) => `k8s:${key}=${value}`);
  return [...own, 'k8s:io.kubernetes.pod.namespace=frontend', 'k8s:io.cilium.k8s.policy.cluster=default'];
}

export function planInput(opId: string, change: PolicyChange, groups: readonly string[] = OPERATOR.groups): PlanInput {
  return {
    opId,
    firstStage: 1,
    request: {
      requestId: 'r',
      verb: 'policy',
      target: { cluster: 'demo', namespace: 'frontend', name: 'frontend' },
      change,
      text: 'policy enforce frontend',
      requester: { id: 'operator@example.com', name: 'Operator', kubernetes: { ...OPERATOR, groups } },
      channel: { teamId: 'T', channelId: 'C' },
      requestedAt: Date.now(),
      validUntil: Date.now() + 10_000,
      settings: SETTINGS,
    },
  };
}

export function enforce(change: Partial<Extract<PolicyChange, { kind: 'enforce' | 'observe' }>> = {}): PolicyChange {
  return { kind: 'enforce', candidate: { document: FULL, sha256: 'f'.repeat(64), source: 'a test' }, windowMs: 60_000, ...change };
}

/** The policy's steps on a real apiserver and agents that speak gRPC. */
export async function policyRig(world: TestCluster) {
  const agents = await Promise.all(['node-1', 'node-2'].map((node) => startAgent(node)));
  const cluster = world.connect('meshops');
  const hub = createHub({ cluster, log: SILENT });
  const flows = createFlows({ nodes: fixedNodes(agents), now: Date.now, log: SILENT });
  const over = new Set<string>();
  const rig = { completed: undefined as CompletedOperation | undefined };
  const audit: AuditLog = { append: async () => {}, holds: async (opId) => !over.has(opId), lastCompleted: async () => rig.completed };
  const steps = policySteps({
    cluster,
    hub,
    flows,
    now: Date.now,
    log: SILENT,
    audit,
    editMessage: async () => {},
  });
  const step = <K extends keyof Steps>(name: K, input: Parameters<Steps[K]>[0]): ReturnType<Steps[K]> =>
    new MockActivityEnvironment({ activityId: String(++activityIds) }).run(steps[name] as Steps[K], input as never) as ReturnType<Steps[K]>;
  return {
    agents,
    over,
    rig,
    step,
    cluster,
    audit,
    stop: () => {
      hub.close();
      flows.close();
      for (const agent of agents) agent.stop();
    },
  };
}

export type PolicyRig = Awaited<ReturnType<typeof policyRig>>;

/** Brings stages into force as the workflow does: claim, write, realised; keeps tokens and what was written. */
export class Driver {
  readonly written: { stage: number; writes: PlannedStage['writes'] }[] = [];
  readonly #made: Record<string, string> = {};
  readonly #tokens: Record<string, string | null>;
  readonly #rig: PolicyRig;
  readonly #world: TestCluster;
  readonly opId: string;
  readonly plan: Plan;

  constructor(rig: PolicyRig, world: TestCluster, opId: string, plan: Plan) {
    this.#rig = rig;
    this.#world = world;
    this.opId = opId;
    this.plan = plan;
    this.#tokens = Object.fromEntries(plan.originals.map(({ object, token }: Original) => [objectKey(object), token]));
  }

  async expose(number: number): Promise<ApplyResult> {
    const stage = this.stage(number);
    const unclaimed = stage.writes.filter(({ object }) => !this.#tokens[objectKey(object)]?.startsWith(`${this.opId}/`));
    const claim = { number: 0, label: 'claim', exposure: 0, writes: unclaimed.map((one) => ({ ...one, after: one.before })) };
    if (unclaimed.length > 0) {
      const claimed = await this.write(claim);
      if (claimed.kind !== 'applied') return claimed;
    }
    const applied = await this.write(stage);
    if (applied.kind !== 'applied') return applied;
    await playCilium(this.#world);
    const realised = await this.#rig.step('realised', { stage, generations: applied.generations, timeoutMs: 3_000 });
    if (realised.kind !== 'realised') throw new Error(realised.words);
    return applied;
  }

  async write(stage: PlannedStage): Promise<ApplyResult> {
    this.written.push({ stage: stage.number, writes: stage.writes });
    const result = await this.again(stage);
    if (result.kind === 'applied') Object.assign(this.#made, result.made);
    if (result.kind === 'applied')
      for (const { object } of stage.writes) this.#tokens[objectKey(object)] = tokenOf(this.opId, stage.number);
    return result;
  }

  /** One attempt, as it would be repeated. */
  again(stage: PlannedStage, tokens: Readonly<Record<string, string | null>> = this.#tokens): Promise<ApplyResult> {
    const tokenBefore = Object.fromEntries(stage.writes.map(({ object }) => [objectKey(object), tokens[objectKey(object)] ?? null]));
    return this.#rig.step('apply', { opId: this.opId, target: this.plan.target, stage, tokenBefore, as: OPERATOR });
  }

  stage(number: number): PlannedStage {
    const stage = this.plan.stages.find((one) => one.number === number);
    if (!stage) throw new Error(`no stage ${number}`);
    return stage;
  }

  /** Writes a stage of its own over what was found, as the workflow does when people have chosen. */
  async takeUp(stage: PlannedStage, { found }: Inspection, choice: 'adopt' | 'restore', number: number): Promise<PlannedStage> {
    const writes = Object.entries(found).map(([key, { object, uid, generation, fields, expected, token }]): Write => {
      this.#tokens[key] = token;
      return { object, uid, generation, before: fields, after: choice === 'adopt' ? fields : expected };
    });
    const next = { ...stage, number, writes };
    this.written.push({ stage: number, writes: writes.map((one) => ({ ...one, before: one.after })) });
    const result = await this.again(next);
    if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
    return next;
  }

  inspectInput(number: number) {
    const stage = this.plan.stages.find((one) => one.number === number) ?? { ...this.stage(2), number };
    return { opId: this.opId, stage, written: this.written, made: this.#made };
  }

  restoreInput(holder: RestoreInput['holder']): RestoreInput {
    return { opId: this.opId, originals: this.plan.originals, written: this.written, holder };
  }

  watchInput(number: number, change: Partial<WatchInput> = {}): WatchInput {
    const stages = this.plan.stages.map((stage) => ({ ...stage, state: 'watching', startedAt: Date.now() }));
    return {
      opId: this.opId,
      target: this.plan.target,
      verb: 'policy',
      purpose: 'stage',
      stage: this.stage(number),
      durationMs: 20_000,
      alpha: 0.001,
      settings: SETTINGS,
      plan: this.plan,
      accepted: [],
      fuse: this.restoreInput({ stage: number }),
      view: { opId: this.opId, stages } as unknown as WatchInput['view'],
      ...change,
    };
  }
}
