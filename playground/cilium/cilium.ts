/**
 * A simulated Cilium for one machine: watches a real kube-apiserver and plays Deployment controller, kubelet, agent and operator; a real Envoy
 * is the gateway, real HTTP servers are the pods, and every node serves Hubble's Observer API. Packets are the only thing that is not real.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodes } from './agent-objects.ts';
import { applyManifests, ensureCiliumConfig } from './apply-manifests.ts';
import { allowAll } from './connections/decision.ts';
import type { HopCounts } from './connections/hops.ts';
import { demoHops, startHops } from './connections/hops.ts';
import type { Controllers } from './controllers.ts';
import { startControllers } from './controllers.ts';
import type { Preset } from './delays.ts';
import { draw, presets } from './delays.ts';
import type { AccessLogServer } from './envoy/access-log.ts';
import { serveAccessLog } from './envoy/access-log.ts';
import type { Envoy, Starter } from './envoy/process.ts';
import { startEnvoy } from './envoy/process.ts';
import type { Agents } from './flows/agents.ts';
import { startAgents } from './flows/agents.ts';
import { createWitness } from './gateway/witness.ts';
import type { Kube } from './kube/client.ts';
import { createKube } from './kube/client.ts';
import { gatewayNode } from './nodes.ts';
import type { Faults } from './panel.ts';
import { createFaults } from './panel.ts';
import type { ListedPod } from './pod-list.ts';
import { listPods } from './pod-list.ts';
import { createRandom, seedFor } from './random.ts';
import type { Truth } from './truth.ts';
import { createTruth } from './truth.ts';
import { until } from './until.ts';
import type { LoadThread } from './workloads/load-handle.ts';
import { startLoadThread } from './workloads/load-handle.ts';
import { startPods } from './workloads/pods.ts';

/** What the simulator needs of the real stack (playground/cluster). */
export interface CiliumStack {
  readonly dir: string;
  readonly kube: { readonly url: string; readonly caFile: string; token(user: 'simulator'): string };
  readonly prometheus: { scrape(job: string, targets: readonly string[], options?: { readonly metricsPath?: string }): void };
  readonly binaries: { readonly envoy: string };
  readonly warden: Starter;
  readonly ports: { take(purpose: string): Promise<number> };
}

export interface CiliumOptions {
  readonly stack: CiliumStack;
  /** Default `ideal`. */
  readonly preset?: Preset;
  /** Default 1. The same seed gives the same faults, delays and arrivals. */
  readonly seed?: number;
  /** Default 100 requests through the Gateway (0 = none until `faults.load`) and 10 east-west connections per second. */
  readonly load?: { readonly requestsPerSecond?: number; readonly connectionsPerSecond?: number };
  /** Folder of manifests to apply first; `false` = none. Default manifests/demo. */
  readonly manifests?: string | false;
  readonly signal: AbortSignal;
  /** Told of each step, and of errors that are retried. */
  readonly progress?: (text: string) => void;
}

export interface Cilium {
  readonly nodes: readonly { readonly name: string; readonly hubbleAddress: string }[];
  /** `url` reaches the Gateway from this machine; `address` is what its status says. */
  readonly gateway: { readonly url: string; readonly address: string };
  readonly metrics: { readonly agents: readonly string[]; readonly envoy: string };
  readonly faults: Faults;
  readonly truth: Truth;
  pods(): readonly ListedPod[];
  /** East-west connections so far, by `<namespace>/<app> -> <service>`. */
  connections(): Readonly<Record<string, HopCounts>>;
  /** What the load's clients saw, and the share of one core their thread used. */
  load(): ReturnType<LoadThread['counts']>;
  /** Ends everything that was started here; Kubernetes objects stay. May be called again. */
  stop(): Promise<void>;
}

const demoFolder = fileURLToPath(new URL('../../manifests/demo', import.meta.url));
const settleMs = 60_000;
const now = (): number => performance.timeOrigin + performance.now();

const hostOf = (url: string): string => new URL(url).host;

interface Parts {
  readonly kube: Kube;
  readonly controllers: Controllers;
  readonly agents: Agents;
  readonly envoy: Envoy;
}

/** Waits until every Deployment has its pods ready and a Gateway listener with a route in force; resolves to that listener's URL. */
const settle = async (parts: Parts, truth: Truth, signal: AbortSignal): Promise<string> => {
  const { world, xds } = parts.controllers;
  const available = (): boolean =>
    [...world.deployments.objects.values()].every((each) => Number(each.status?.['readyReplicas'] ?? 0) >= (each.spec.replicas ?? 1));
  await until(available, { what: 'The demo pods are not ready', withinMs: settleMs, signal });
  const listener = (): string | undefined => {
    const [gateway] = [...world.gateways.objects.values()];
    const port = gateway && xds.portOf(`${gateway.metadata.namespace}/${gateway.metadata.name}/${gateway.spec.listeners[0]?.name}`);
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  };
  await until(() => listener() !== undefined, { what: 'No Gateway listener came up', withinMs: settleMs, signal });
  const warm = (): boolean =>
    truth.weights.some((each) => each.inForceAt !== undefined) && [...xds.clusters.values()].every(({ ports }) => ports.length > 0);
  await until(warm, { what: 'No route came in force', withinMs: settleMs, signal });
  return listener() ?? '';
};

const registerMetrics = (stack: CiliumStack, agents: Agents, envoy: Envoy): Cilium['metrics'] => {
  stack.prometheus.scrape(
    'cilium-agent',
    agents.nodes.map((node) => hostOf(node.metricsUrl)),
  );
  const url = `http://127.0.0.1:${envoy.adminPort}/stats/prometheus`;
  stack.prometheus.scrape('cilium-envoy', [hostOf(url)], { metricsPath: '/stats/prometheus' });
  return { agents: agents.nodes.map((node) => node.metricsUrl), envoy: url };
};

/** Starts the simulated mesh and resolves when its pods are ready, its route is in force and load flows. Nothing is left behind when it rejects. */
export const startCilium = async (options: CiliumOptions): Promise<Cilium> => {
  const {
    stack,
    preset = 'ideal',
    seed = 1,
    load = { requestsPerSecond: 100 },
    manifests = demoFolder,
    progress = () => undefined,
  } = options;
  const delays = presets[preset];
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const onError = (error: unknown): void => {
    if (!signal.aborted) progress(`Trying again: ${error instanceof Error ? error.message : String(error)}`);
  };
  const undo: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    ending.abort();
    for (const end of undo.splice(0).toReversed()) await end();
  };

  try {
    const kube = createKube({ url: stack.kube.url, caFile: stack.kube.caFile, token: stack.kube.token('simulator') });
    undo.push(() => kube.close());
    progress('Nodes and the demo mesh');
    await createNodes(kube, new Date().toISOString().replace(/\.\d+Z$/, 'Z'));
    await ensureCiliumConfig(kube);
    if (manifests !== false) await applyManifests(kube, manifests);

    const truth = createTruth();
    const pods = startPods(delays.serviceTime, seed, onError);
    undo.push(() => pods.stop());
    const folder = join(stack.dir, 'envoy');
    const takePort = (purpose: string) => stack.ports.take(purpose);
    const controllers = await startControllers({ kube, pods, truth, delays, seed, folder, takePort, now, signal, onError });

    progress('Agents and Envoy');
    const lagRandom = createRandom(seedFor(seed, 'flow lag'));
    const agents = await startAgents({ now, lag: () => draw(delays.flowLag, lagRandom) });
    undo.push(() => agents.stop());
    const { world, book, xds, operator } = controllers;
    const witness = createWitness({ world, book, xds, agents, truth, uuid: randomUUID, addressOf: (gateway) => operator.addressOf(gateway) });
    const accessLog: AccessLogServer = await serveAccessLog(witness, now);
    undo.push(() => accessLog.close());
    const adminPort = await stack.ports.take("Envoy's admin interface");
    const envoy = await startEnvoy({
      warden: stack.warden,
      binary: stack.binaries.envoy,
      folder,
      adminPort,
      accessLogPort: accessLog.port,
      now,
      signal,
    });
    undo.push(() => envoy.stop());
    xds.attach(envoy);
    await xds.routes();

    progress('Pods, routes and load');
    const url = await settle({ kube, controllers, agents, envoy }, truth.truth, signal);
    const { requestsPerSecond = 100, connectionsPerSecond = 10 } = load;
    const hops = startHops({
      world,
      book,
      agents,
      decide: allowAll,
      hops: demoHops,
      connectionsPerSecond,
      random: createRandom(seedFor(seed, 'hops')),
      uuid: randomUUID,
      now,
    });
    undo.push(() => hops.stop());
    const traffic = startLoadThread({ url, requestsPerSecond, maxInFlight: 256, patienceMs: 10_000, seed: seedFor(seed, 'load') }, onError);
    undo.push(() => traffic.stop());
    return {
      nodes: agents.nodes.map(({ name, hubbleAddress }) => ({ name, hubbleAddress })),
      gateway: { url, address: operator.addressOf('backend/mesh') },
      metrics: registerMetrics(stack, agents, envoy),
      faults: createFaults({ book: controllers.faults, agents, traffic, gatewayNode }),
      truth: truth.truth,
      pods: () => listPods(world.pods.objects.values(), world.services.objects),
      connections: () => hops.counts,
      load: () => traffic.counts(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
