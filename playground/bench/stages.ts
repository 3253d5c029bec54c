import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '../../activities/clients/kubernetes/cluster.ts';
import { CILIUM_ENDPOINT, CILIUM_POLICY, type CiliumEndpoint, POD, type Pod } from '../../activities/clients/kubernetes/objects.ts';
import { fillStage } from '../../activities/policy/fill.ts';
import { realised } from '../../activities/policy/realised.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { PlannedStage, Write } from '../../src/domain/plan.ts';
import { COHORT_POINTER } from '../../src/domain/policy/stages/stages.ts';
import { startTestCluster, type TestCluster } from '../../test/activities/support/cluster.ts';
import { step } from '../cluster/progress.ts';
import { realised as realisedBefore } from './before/realised.ts';
import type { Bench } from './bench.ts';
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
    const writer = fork(fileURLToPath(new URL('./stages-writer.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    try {
      await step(progress, 'pods', async () => ({ value: await populate(api), detail: `${PODS} with endpoints` }));
      const cluster = api.connect('admin');
      const names = await cohort(cluster, signal);
      await ready(api, names);
      writer.send({ word: 'connect', kubeconfig: api.kubeconfig('admin') } satisfies StagesWord);
      const measure = (how: typeof realised, fills?: Fills) => measured(cluster, writer, { names, how, fills, runs, signal, sockets });
      const before = await step(progress, 'before', async () => ({
        value: await measure(realisedBefore),
        detail: `${runs} stages`,
      }));
      const now = await step(progress, 'now', async () => ({ value: await measure(realised), detail: `${runs} stages` }));
      const withFill = await step(progress, 'now, pods chosen', async () => ({
        value: await measure(realised, 'planned'),
        detail: `${runs} stages`,
      }));
      const withReplaced = await step(progress, 'now, pods replaced', async () => ({
        value: await measure(realised, 'replaced'),
        detail: `${runs} stages`,
      }));
      return {
        pods: PODS,
        stages: runs,
        cohort: COHORT,
        shownAfterMs: SHOWN_AFTER_MS,
        before,
        now,
        nowWithChoosingPods: withFill,
        nowWithReplacedPods: withReplaced,
      };
    } finally {
      writer.kill('SIGKILL');
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
  for (let first = 0; first < PODS; first += 40) {
    const numbers = Array.from({ length: Math.min(40, PODS - first) }, (_, index) => first + index);
    await Promise.all(
      numbers.map(async (number) => {
        await api.admin('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, podOf(number));
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

/** Only ready pods go first. */
async function ready(api: TestCluster, pods: readonly Pod[]): Promise<void> {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  for (const { metadata } of pods) {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${metadata.name}/status`;
    await api.admin('PATCH', path, { status }, 'application/merge-patch+json');
  }
}

/** Pods are chosen before each stage: those of the plan, or one of them is gone, and all of the namespace are looked at. */
type Fills = 'planned' | 'replaced';

interface Measuring {
  readonly names: readonly Pod[];
  readonly how: typeof realised;
  readonly fills: Fills | undefined;
  readonly runs: number;
  readonly signal: AbortSignal;
  readonly sockets: ReturnType<typeof countSockets>;
}

async function measured(
  cluster: Cluster,
  writer: ChildProcess,
  { names, how, fills, runs, signal, sockets }: Measuring,
): Promise<JsonObject> {
  await cluster.ping({ signal });
  const stretch = longestStretch();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const used = process.cpuUsage();
  const begun = performance.now();
  const bytes = sockets.bytes();
  delay.enable();
  for (let turn = 0; turn < runs; turn++) {
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
  delay.disable();
  const seconds = (performance.now() - begun) / 1_000;
  const cpu = process.cpuUsage(used);
  const read = sockets.bytes() - bytes;
  const longest = stretch();
  return {
    seconds: round(seconds),
    megabytesPerSecond: round(read / 1e6 / seconds),
    megabytesPerStage: round(read / 1e6 / runs),
    processorShare: round((cpu.user + cpu.system) / 1e6 / seconds),
    longestPauseMs: round(delay.max / 1e6),
    longestStretchMs: round(longest.all),
    longestOwnStretchMs: round(longest.own),
    pauseP99Ms: round(delay.percentile(99) / 1e6),
  };
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

/**
 * Longest time that this thread computed without a turn of its event loop (ms): its pauses on a machine that nobody else uses. Of it what it
 * computed itself: the rest is the kernel's, which on a full machine has to find memory first.
 */
function longestStretch(): () => { readonly all: number; readonly own: number } {
  let longest = { all: 0, own: 0 };
  let last = process.threadCpuUsage();
  const timer = setInterval(() => {
    const used = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    longest = { all: Math.max(longest.all, (used.user + used.system) / 1_000), own: Math.max(longest.own, used.user / 1_000) };
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

/** Bytes that came over TLS to this process since it was asked. */
function countSockets(): { bytes(): number; stop(): void } {
  const sockets = new Set<TLSSocket>();
  const agent = https.Agent.prototype as unknown as { createConnection: (...of: unknown[]) => TLSSocket };
  const original = agent.createConnection;
  agent.createConnection = function create(this: unknown, ...of: unknown[]) {
    const socket = original.apply(this, of);
    sockets.add(socket);
    return socket;
  };
  return {
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, 0),
    stop: () => {
      agent.createConnection = original;
    },
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
