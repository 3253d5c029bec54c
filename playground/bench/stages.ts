import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fillStage } from '../../activities/policy/fill.ts';
import { realised } from '../../activities/policy/realised.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, CILIUM_POLICY, type CiliumEndpoint, POD, type Pod } from '../../src/clients/kubernetes/objects.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlannedStage, Write } from '../../src/domain/lifecycle/plan.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';
import { startTestCluster, type TestCluster } from '../../test/activities/support/cluster.ts';
import { step } from '../cluster/progress.ts';
import { realised as realisedBefore } from './before/realised.ts';
import type { Bench } from './bench.ts';
import { countSockets, measured, preferred } from './stages-measure.ts';
import { arrangePlan, planOnce, recorded } from './stages-plan.ts';
import { endpointOf, NAMESPACE, OP, podOf, policyOf, type StagesWord } from './stages-words.ts';

const PODS = 3_000;
const STAGES = 50;
const COHORT = 50;
/** Until the identities of a cohort show their label (ms); in a cluster it is 5 to 35 s. */
const SHOWN_AFTER_MS = 1_000;

/** What waiting for a policy's stages costs in a large namespace: on the real API server, before and now. */
export const stages: Bench = {
  name: 'stages',
  what: `${STAGES} stages of a policy in a namespace of ${PODS.toLocaleString('en')} pods: traffic of the API server, processor, longest pause`,
  run: async ({ signal, progress, runs = STAGES }) => {
    const sockets = countSockets();
    const api = await step(progress, 'API server', async () => ({
      value: await startTestCluster(signal),
      detail: 'etcd and kube-apiserver',
    }));
    const [writer, idle] = ['stages-writer', 'stages-idle'].map((name) =>
      fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    ) as [ChildProcess, ChildProcess];
    try {
      await step(progress, 'pods', async () => ({ value: await populate(api), detail: `${PODS} with endpoints` }));
      const cluster = api.connect('admin');
      const names = await cohort(cluster, signal);
      await arrangePlan(api);
      writer.send({ word: 'connect', kubeconfig: api.kubeconfig('admin') } satisfies StagesWord);
      const measure: Measure = async (turns, work) => {
        await cluster.ping({ signal });
        return measured({ idle, sockets }, turns, work);
      };
      const waited = (title: string, how: typeof realised, fills?: Fills) =>
        step(progress, title, async () => ({
          value: await measure(runs, (turn) => waitForStage(cluster, writer, turn, { names, how, signal, ...(fills && { fills }) })),
          detail: `${runs} stages`,
        }));
      return {
        pods: PODS,
        stages: runs,
        cohort: COHORT,
        shownAfterMs: SHOWN_AFTER_MS,
        isPreferred: preferred(process.pid, idle.pid),
        before: await waited('before', realisedBefore),
        now: await waited('now', realised),
        nowWithChoosingPods: await waited('now, pods chosen', realised, 'planned'),
        nowWithReplacedPods: await waited('now, pods replaced', realised, 'replaced'),
        plans: await step(progress, 'plans', async () => {
          const flows = recorded();
          return { value: await measure(runs, (turn) => planOnce(cluster, flows, turn, signal)), detail: `${runs} plans` };
        }),
      };
    } finally {
      writer.kill('SIGKILL');
      idle.kill('SIGKILL');
      sockets.stop();
      await api.stop();
    }
  },
};

async function populate(api: TestCluster): Promise<void> {
  await api.admin('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const policies = `/apis/cilium.io/v2/namespaces/${NAMESPACE}/ciliumnetworkpolicies`;
  await api.admin('POST', policies, policyOf());
  const { status } = policyOf();
  await api.admin('PATCH', `${policies}/app/status`, { status }, 'application/merge-patch+json');
  // Only ready pods go first.
  const ready = { phase: 'Running', podIP: '10.1.0.1', conditions: [{ type: 'Ready', status: 'True' }] };
  for (let first = 0; first < PODS; first += 40) {
    const numbers = Array.from({ length: Math.min(40, PODS - first) }, (_, index) => first + index);
    await Promise.all(
      numbers.map(async (number) => {
        const { metadata } = (await api.admin('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, podOf(number))) as unknown as Pod;
        await api.admin(
          'PATCH',
          `/api/v1/namespaces/${NAMESPACE}/pods/${metadata.name}/status`,
          { status: ready },
          'application/merge-patch+json',
        );
        await api.admin('POST', `/apis/cilium.io/v2/namespaces/${NAMESPACE}/ciliumendpoints`, endpointOf(number));
      }),
    );
  }
}

async function cohort(cluster: Cluster, signal: AbortSignal): Promise<readonly Pod[]> {
  const { items } = await cluster.list<Pod>(POD, { namespace: NAMESPACE }, { signal });
  const { items: endpoints } = await cluster.list<CiliumEndpoint>(CILIUM_ENDPOINT, { namespace: NAMESPACE }, { signal });
  if (items.length !== PODS || endpoints.length !== PODS)
    throw new Error(`There are ${items.length} pods and ${endpoints.length} endpoints.`);
  return items.slice(0, COHORT);
}

/** Pods are chosen before each stage: those of the plan, or one of them is gone, and all of the namespace are looked at. */
type Fills = 'planned' | 'replaced';

type Measure = (turns: number, work: (turn: number) => Promise<void>) => Promise<JsonObject>;

interface Waiting {
  readonly names: readonly Pod[];
  readonly how: typeof realised;
  readonly fills?: Fills;
  readonly signal: AbortSignal;
}

/** One stage: pods are chosen, their labels are written elsewhere, and it is waited until all of them show it. */
async function waitForStage(cluster: Cluster, writer: ChildProcess, turn: number, { names, how, fills, signal }: Waiting): Promise<void> {
  signal.throwIfAborted();
  const value = turn % 2 === 0 ? OP : null;
  writer.send({ word: 'show', names: names.map(({ metadata }) => metadata.name), value, afterMs: SHOWN_AFTER_MS } satisfies StagesWord);
  const stage = stageOf(names, value);
  if (fills) {
    const asked = fills === 'planned' ? stage : withoutFirst(stage);
    await fillStage(cluster, { opId: OP, plan: planOf(stage), stage: asked, planned: 1, written: [] }, signal);
  }
  const shown = once(writer, 'message');
  const result = await how({ cluster, now: Date.now }, { stage, generations: {}, timeoutMs: 60_000 }, signal);
  if (result.kind !== 'realised') throw new Error(result.words);
  await shown;
}

function stageOf(pods: readonly Pod[], value: string | null): PlannedStage {
  const fields = (label: string | null) => ({ [COHORT_POINTER]: label });
  const writes = pods.map(({ metadata: { name, uid } }): Write => {
    const object = { ...POD, namespace: NAMESPACE, name };
    return { object, uid, generation: 0, before: fields(value === null ? OP : null), after: fields(value) };
  });
  const policy: Write = { object: { ...CILIUM_POLICY, namespace: NAMESPACE, name: 'app' }, uid: '', generation: 1, before: {}, after: {} };
  return { number: 1, label: 'ingress, 50 pods of 3000', exposure: 0.02, writes: [policy, ...writes] };
}

/** The first pod of the plan is another one by now. */
function withoutFirst(stage: PlannedStage): PlannedStage {
  const first = stage.writes.findIndex(({ object }) => object.kind === POD.kind);
  return { ...stage, writes: stage.writes.map((write, index) => (index === first ? { ...write, uid: 'gone' } : write)) };
}

function planOf(stage: PlannedStage): Parameters<typeof fillStage>[1]['plan'] {
  const details = {
    change: 'enforce',
    opId: OP,
    policy: { ...CILIUM_POLICY, namespace: NAMESPACE, name: 'app' },
    directions: ['ingress'],
    windowMs: 0,
    candidate: policyOf(),
    accepted: [],
  };
  return { stages: [stage], originals: [], details } as unknown as Parameters<typeof fillStage>[1]['plan'];
}
