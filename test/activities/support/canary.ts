import { MockActivityEnvironment } from '@temporalio/testing';
import { type ActivityDeps, createActivities } from '../../../activities/index.ts';
import { createFlows } from '../../../src/clients/hubble/flows.ts';
import { fixedNodes } from '../../../src/clients/hubble/nodes.ts';
import { createHub } from '../../../src/clients/kubernetes/hub.ts';
import type { PlanInput, PlanResult, Steps } from '../../../src/domain/lifecycle/contract.ts';
import type { OperationRequest, OperationView } from '../../../src/domain/lifecycle/operation.ts';
import type { Plan } from '../../../src/domain/lifecycle/plan.ts';
import { type Log, SILENT } from '../../../src/log.ts';
import type { TestCluster } from './cluster.ts';
import { startAgent } from './hubble.ts';

type StepName = keyof Steps;

/** Each step is an activity of its own; attempts of one would share what they know. */
let activityIds = 0;

/** The canary's activities as a worker registers them, on a real apiserver and agents that speak gRPC. */
export async function canaryRig(
  world: TestCluster,
  options: {
    readonly log?: Log;
    readonly completed?: ActivityDeps['audit']['lastCompleted'];
    readonly prometheus?: ActivityDeps['prometheus'];
  } = {},
) {
  const agents = await Promise.all(['node-1', 'node-2'].map((node) => startAgent(node)));
  const cluster = world.connect('meshops');
  const log = options.log ?? SILENT;
  const hub = createHub({ cluster, log });
  const flows = createFlows({ nodes: fixedNodes(agents), now: Date.now, log });
  const over = new Set<string>();
  const activities = createActivities({
    cluster,
    hub,
    flows,
    prometheus: options.prometheus,
    now: Date.now,
    log,
    audit: { append: async () => {}, holds: async (opId) => !over.has(opId), lastCompleted: options.completed ?? (async () => undefined) },
    freezes: { active: async () => undefined },
    people: { approvers: async () => [] },
    announce: {
      announce: async () => ({ channelId: 'C', ts: '1' }),
      say: async () => {},
      chart: async () => {},
      editMessage: async () => {},
    },
  });
  return {
    agents,
    over,
    /** Runs a step as an activity. */
    step: <K extends StepName>(name: K, input: Parameters<Steps[K]>[0]): ReturnType<Steps[K]> =>
      new MockActivityEnvironment({ activityId: String(++activityIds) }).run(
        activities[`canary.${name}`] as Steps[K],
        input as never,
      ) as ReturnType<Steps[K]>,
    stop: () => {
      hub.close();
      flows.close();
      for (const agent of agents) agent.stop();
    },
  };
}

export const SETTINGS: OperationRequest['settings'] = {
  ladder: [1, 5, 10, 25, 50, 100],
  soakMs: 3_000,
  afterwatchMs: 5_000,
  holdMs: 20_000,
  objective: 0.01,
  latencyLimitMs: 1_000,
  alpha: 0.001,
  minRequests: 10,
  realiseMs: 5_000,
  watchHeartbeatMs: 2_000,
  editEveryMs: 3_000,
  gates: [],
};

export function shiftInput(
  percent: number,
  change: { readonly opId?: string; readonly groups?: readonly string[]; readonly settings?: Partial<OperationRequest['settings']> } = {},
): PlanInput {
  const { opId = 'canary-p1', groups = ['mesh-operators'], settings } = change;
  const request: OperationRequest = {
    requestId: 'r',
    verb: 'canary',
    target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
    change: { kind: 'shift', percent },
    text: `canary backend ${percent}%`,
    requester: { id: 'operator@example.com', name: 'Operator', kubernetes: { user: 'operator@example.com', groups } },
    channel: { teamId: 'T', channelId: 'C' },
    requestedAt: Date.now(),
    validUntil: Date.now() + 10_000,
    settings: { ...SETTINGS, ...settings },
  };
  return { opId, request, firstStage: 1 };
}

export function planIn(result: PlanResult): Plan {
  if (result.kind !== 'plan') throw new Error(`no plan: ${result.code} ${result.words}`);
  return result.plan;
}

export function viewOf(opId: string): OperationView {
  return { opId } as OperationView;
}

/** Services, ready endpoints, cilium-config: what a plan looks for beside the route. */
export async function arrangeMesh(world: TestCluster): Promise<void> {
  for (const [name, pods] of Object.entries({ backend: ['backend-1'], 'backend-canary': ['backend-canary-1', 'backend-canary-2'] })) {
    const spec = { selector: { app: 'backend' }, ports: [{ port: 8080 }] };
    await world.admin('POST', '/api/v1/namespaces/backend/services', { metadata: { name }, spec });
    await world.admin('POST', '/apis/discovery.k8s.io/v1/namespaces/backend/endpointslices', {
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: pods.map((pod, at) => ({
        addresses: [`10.0.${name.length}.${at + 1}`],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: pod, namespace: 'backend' },
      })),
      ports: [{ port: 8080 }],
    });
  }
  const data = { 'enable-hubble': 'true', 'enable-l7-proxy': 'true' };
  await world.admin('POST', '/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'cilium-config' }, data });
}

export async function setReady(world: TestCluster, name: string, ready: boolean): Promise<void> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/backend/endpointslices/${name}-1`;
  const slice = (await world.admin('GET', path)) as unknown as { endpoints: { conditions: object }[] };
  const endpoints = slice.endpoints.map((endpoint) => ({ ...endpoint, conditions: { ready } }));
  await world.admin('PATCH', path, { endpoints }, 'application/merge-patch+json');
}

/** The gateway controller's word about a route, for a generation. */
export async function accept(world: TestCluster, name: string, generation: number, accepted = true): Promise<void> {
  const base = { observedGeneration: generation, lastTransitionTime: new Date().toISOString(), message: '' };
  const conditions = [
    { ...base, type: 'Accepted', status: accepted ? 'True' : 'False', reason: accepted ? 'Accepted' : 'NoMatchingListenerHostname' },
    { ...base, type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs' },
  ];
  const parents = [
    {
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'mesh' },
      controllerName: 'io.cilium/gateway-controller',
      conditions,
    },
  ];
  await world.admin(
    'PATCH',
    `/apis/gateway.networking.k8s.io/v1/namespaces/backend/httproutes/${name}/status`,
    { status: { parents } },
    'application/merge-patch+json',
  );
}
