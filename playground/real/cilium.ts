import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDuration } from '../../src/domain/words/duration.ts';
import { createNode } from '../cilium/agent-objects.ts';
import { applyManifests } from '../cilium/apply-manifests.ts';
import type { Cilium } from '../cilium/cilium.ts';
import { ensureClusterDns } from '../cilium/cluster-dns.ts';
import { createConnectionTruth } from '../cilium/connections/connection-truth.ts';
import { type Ground, layGround } from '../cilium/ground.ts';
import { issueHubbleTls } from '../cilium/hubble-tls.ts';
import { createKube, type Kube } from '../cilium/kube/client.ts';
import { resources } from '../cilium/kube/resources.ts';
import type { MeshNode } from '../cilium/nodes.ts';
import { listPods } from '../cilium/pod-list.ts';
import { createTruth } from '../cilium/truth.ts';
import { until } from '../cilium/until.ts';
import type { Stack } from '../cluster/stack.ts';
import { type NodeCount, realNodes } from './addresses.ts';
import { createCni } from './cni.ts';
import { type Local, realConfig } from './config.ts';
import { startRealControllers } from './controllers.ts';
import { realFaults } from './faults.ts';
import { startRealGateway } from './gateway/gateway.ts';
import { startNode } from './node.ts';
import { startOperator } from './operator.ts';
import { startPodProcess } from './pod-process.ts';
import { createPolicyTruth } from './policy-truth.ts';
import type { RealPrograms } from './prepare.ts';
import { startRelay } from './relay.ts';
import { startGatewayLoad, startRealTraffic } from './traffic.ts';

export interface RealCiliumOptions {
  readonly stack: Stack;
  readonly programs: RealPrograms;
  readonly nodes: NodeCount;
  readonly seed: number;
  /** Through the Gateway; default 100. */
  readonly requestsPerSecond?: number;
  /** Between the demo's pods; default 10. */
  readonly connectionsPerSecond?: number;
  /** Cilium's `identity-max-jitter`: how long at most an agent waits by chance before it gives a relabelled pod its identity. */
  readonly identityMaxJitter: string;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

const demoFolder = fileURLToPath(new URL('../../manifests/demo', import.meta.url));
const HUBBLE_PORT = 4_244;
const METRICS_PORTS = [9_962, 9_965] as const;
const CONNECTIONS_PER_SECOND = 10;
const REQUESTS_PER_SECOND = 100;
const SETTLED_WITHIN_MS = 120_000;
/** Cilium's `identity-change-grace-period`. */
const IDENTITY_GRACE_MS = 5_000;

/** Real, unmodified Cilium under the demo mesh, behind the same interface as the simulated one. Only inside a world of its own (enter.ts). */
export async function startRealCilium(options: RealCiliumOptions): Promise<Cilium> {
  const { ground, stop } = layGround({ ...options, preset: 'ideal', say: options.progress });
  try {
    return { ...(await begin(ground, options)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openCluster(
  { stack, now, onStop }: Ground,
  nodes: readonly MeshNode[],
  config: Readonly<Record<string, string>>,
): Promise<Kube> {
  const { kube: server } = stack;
  const kube = createKube({ url: server.url, caFile: server.caFile, token: server.token('simulator') });
  onStop(() => kube.close());
  for (const node of nodes) await createNode(kube, node, new Date(now()).toISOString().replace(/\.\d+Z$/, 'Z'));
  await kube.apply(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } });
  const metadata = { name: 'cilium-config', namespace: 'kube-system' };
  await kube.apply(resources.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: config } as never);
  return kube;
}

function startNodes(ground: Ground, options: RealCiliumOptions, config: Readonly<Record<string, string>>, local: Local) {
  return Promise.all(
    realNodes(options.nodes).map((node) =>
      startNode(node, { stack: options.stack, programs: options.programs, config, local, signal: ground.signal }),
    ),
  );
}

async function begin(ground: Ground, options: RealCiliumOptions): Promise<Omit<Cilium, 'stop'>> {
  const { stack, programs, progress: say } = options;
  const config = realConfig(options.identityMaxJitter);
  const kube = await openCluster(ground, realNodes(options.nodes), config);
  const hubbleTls = await issueHubbleTls(join(stack.dir, 'hubble'), config['cluster-name'] ?? '', ground.now());
  const local: Local = { kubeconfig: stack.kube.kubeconfig('admin'), hubble: hubbleTls.agentFiles };
  say('operator and agents');
  const [nodes] = await Promise.all([
    startNodes(ground, options, config, local),
    startOperator(stack, programs, config, local, ground.signal),
  ]);
  say('pods');
  const pods = startPodProcess(programs.pods, ground.onError);
  ground.onStop(() => pods.stop());
  const truth = createTruth();
  const more = createConnectionTruth();
  const { signal, now, onError } = ground;
  const policies = createPolicyTruth({ nodes, now, inForce: more.inForce, signal, onError });
  const cni = new Map(nodes.map((node) => [node.node.name, createCni(node, programs.cni, stack.dir)]));
  await ensureClusterDns(kube);
  await applyManifests(kube, demoFolder);
  let changed = (): void => undefined;
  const controllers = await startRealControllers(ground, kube, {
    nodes: realNodes(options.nodes),
    cni,
    pods,
    truth,
    policies,
    onChange: () => changed(),
  });
  await podsReady(ground, controllers.world.deployments.objects);
  const traffic = startRealTraffic(ground, kube, {
    controllers,
    pods,
    connected: more.connected,
    connectionsPerSecond: options.connectionsPerSecond ?? CONNECTIONS_PER_SECOND,
  });
  const [first] = nodes;
  if (!first) throw new Error('There is no node for the Gateway.');
  const { world } = controllers;
  say('gateway and relay');
  const [gateway, relay] = await Promise.all([
    startRealGateway(ground, kube, { stack, node: first, world, pods, truth }),
    startRelay(stack, programs.relay, { node: first, tls: hubbleTls, cluster: config['cluster-name'] ?? '' }, signal),
  ]);
  const load = startGatewayLoad(ground, gateway.url, options.requestsPerSecond ?? REQUESTS_PER_SECOND);
  ground.onStop(() => load.stop());
  changed = (): void => {
    traffic.changed();
    gateway.changed();
  };
  changed();
  return {
    nodes: nodes.map(({ node }) => ({ name: node.name, hubbleAddress: `${node.hostAddress}:${HUBBLE_PORT}` })),
    hubbleTls: hubbleTls.client,
    relay: { address: relay.address },
    gateway: { url: gateway.url, address: gateway.address },
    metrics: { agents: registerMetrics(stack, realNodes(options.nodes)), envoy: gateway.metrics },
    faults: realFaults({ book: controllers.faults, nodes, traffic, load, relay: relay.component }),
    clients: traffic.clients,
    // An agent's ring is empty when it has been started again; connections live on.
    forget: async () =>
      void (await Promise.all(
        nodes.map(async ({ agent }) => {
          await agent.stop();
          await agent.start(signal);
        }),
      )),
    identityWithinMs: (parseDuration(options.identityMaxJitter) ?? 0) + IDENTITY_GRACE_MS,
    unsupported: ['lost', 'ledger', 'catalog'],
    parts: { start: () => Promise.reject(new Error('Parts of the demo mesh are not there on real nodes.')) },
    truth: Object.assign(truth.truth, { connections: more.connections, policies: more.policies }),
    pods: () => listPods(world.pods.objects.values(), world.services.objects),
    connections: () => traffic.hops.counts,
    load: () => load.counts(),
    settle: () => pods.settle(),
  };
}

function podsReady(
  { signal }: Ground,
  deployments: ReadonlyMap<string, { readonly spec: { readonly replicas?: number }; readonly status?: object }>,
) {
  return until(
    () => {
      const all = [...deployments.values()];
      const ready = (status: object | undefined): number => Number((status as { readyReplicas?: number } | undefined)?.readyReplicas ?? 0);
      return all.length > 0 && all.every(({ spec, status }) => ready(status) >= (spec.replicas ?? 1));
    },
    { what: 'The demo pods are not ready', withinMs: SETTLED_WITHIN_MS, signal },
  );
}

function registerMetrics(stack: Stack, nodes: readonly MeshNode[]): readonly string[] {
  const targets = nodes.flatMap(({ hostAddress }) => METRICS_PORTS.map((port) => `${hostAddress}:${port}`));
  stack.prometheus.scrape('cilium-agent', targets);
  return targets.map((target) => `http://${target}/metrics`);
}
