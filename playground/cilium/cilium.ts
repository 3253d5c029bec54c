/**
 * A simulated Cilium for one machine: watches a real kube-apiserver and plays Deployment controller, kubelet, agent and operator; a real Envoy
 * is the gateway, real HTTP servers are the pods, and every node serves Hubble's Observer API. Packets are the only thing that is not real.
 */
import { fileURLToPath } from 'node:url';
import { createNodes } from './agent-objects.ts';
import { applyManifests, type CiliumSettings, ensureCiliumConfig } from './apply-manifests.ts';
import { ensureClusterDns } from './cluster-dns.ts';
import type { Clients } from './connections/clients.ts';
import type { HopCounts } from './connections/hops.ts';
import { identityTimes, type Preset } from './delays.ts';
import type { EncryptionAgents } from './encryption/agents.ts';
import { type CiliumStack, type Ground, layGround } from './ground.ts';
import type { HubbleTls } from './hubble-tls.ts';
import { createKube, type Kube } from './kube/client.ts';
import { gatewayNode } from './nodes.ts';
import { createFaults, type Faults } from './panel.ts';
import { createParts, type Parts } from './parts.ts';
import { type Plane, type PlaneTruth, settle, startPlane } from './plane.ts';
import { type ListedPod, listPods } from './pod-list.ts';
import { createSightFaults, type SightFaults } from './sight-faults.ts';
import { startTraffic, type Traffic } from './traffic.ts';
import type { LoadReply } from './workloads/messages.ts';

export type { CiliumStack } from './ground.ts';

export interface CiliumOptions {
  readonly stack: CiliumStack;
  /** Default `ideal`. */
  readonly preset?: Preset;
  /** Keys of cilium-config that are otherwise than the preset has them, such as `identity-max-jitter`. */
  readonly settings?: CiliumSettings;
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
  /** Files with which the agents and Relay answer a client; they have no addresses in their certificates, only names. */
  readonly hubbleTls: HubbleTls['client'];
  /** Hubble Relay over all nodes. */
  readonly relay: { readonly address: string };
  /** `url` reaches the Gateway from this machine; `address` is what its status says. */
  readonly gateway: { readonly url: string; readonly address: string };
  /** URLs of Prometheus text: one per agent, and Envoy's own. */
  readonly metrics: { readonly agents: readonly string[]; readonly envoy: string };
  readonly faults: Faults & SightFaults;
  /** How long at most a changed label takes to become an identity, where that is longer than stories expect (ms). */
  readonly identityWithinMs?: number;
  /** Actions of the page's panel that cannot be had here; left out: none. */
  readonly unsupported?: readonly string[];
  /** Callers on demand: pods of their own, connections that stay open, a port scan. */
  readonly clients: Clients;
  /** The agents hold none of the flows that there have been. */
  forget(): Promise<void>;
  /** Parts of the demo mesh that run only while somebody needs them. */
  readonly parts: Parts;
  readonly truth: PlaneTruth;
  /** What encrypts between nodes, and what goes wrong with it; absent where it is real. */
  readonly encryption?: EncryptionAgents;
  /** Every pod, the Service that selects it, and whether it is ready. */
  pods(): readonly ListedPod[];
  /** East-west connections so far, by `<namespace>/<app> -> <service>`. */
  connections(): Readonly<Record<string, HopCounts>>;
  /** What the load's clients saw, and the share of one core that their thread used. */
  load(): Promise<LoadReply>;
  /** Resolves when it is known what became of every connection that was begun until now. */
  settle(): Promise<void>;
  /** Ends everything that was started here; Kubernetes objects stay. May be called again. */
  stop(): Promise<void>;
}

const demoFolder = fileURLToPath(new URL('../../manifests/demo', import.meta.url));

async function openCluster(
  ground: Ground,
  manifests: string | false,
  settings: CiliumSettings,
): Promise<{ readonly kube: Kube; readonly config: CiliumSettings }> {
  const { kube: server } = ground.stack;
  const kube = createKube({ url: server.url, caFile: server.caFile, token: server.token('simulator') });
  ground.onStop(() => kube.close());
  await createNodes(kube, new Date(ground.now()).toISOString().replace(/\.\d+Z$/, 'Z'));
  const config = await ensureCiliumConfig(kube, settings);
  if (manifests !== false) {
    await ensureClusterDns(kube);
    await applyManifests(kube, manifests);
  }
  return { kube, config };
}

function registerMetrics(stack: CiliumStack, { agents, envoy }: Plane): Cilium['metrics'] {
  const urls = agents.nodes.map((node) => node.metricsUrl);
  stack.prometheus.scrape(
    'cilium-agent',
    urls.map((url) => new URL(url).host),
  );
  stack.prometheus.scrape('cilium-envoy', [`127.0.0.1:${envoy.adminPort}`], { metricsPath: '/stats/prometheus' });
  return { agents: urls, envoy: `http://127.0.0.1:${envoy.adminPort}/stats/prometheus` };
}

/** What can go wrong, and what cannot be seen; `mend` without a Service ends both. */
function allFaults(plane: Plane, { load, resolver }: Traffic): Cilium['faults'] {
  const faults = createFaults({ book: plane.controllers.faults, agents: plane.agents, traffic: load, resolver, gatewayNode });
  const sight = createSightFaults(plane);
  const mend = (service?: string): void => {
    faults.mend(service);
    if (service !== undefined) return;
    faults.dnsFailures(false);
    sight.mendSight();
  };
  return { ...faults, ...sight, mend };
}

/** Starts the simulated mesh and resolves when its pods are ready, its route is in force and load flows. Nothing is left behind when it rejects. */
export async function startCilium(options: CiliumOptions): Promise<Cilium> {
  const { stack, preset = 'ideal', seed = 1, load = {}, manifests = demoFolder, signal, progress: say = () => undefined } = options;
  const { requestsPerSecond = 100, connectionsPerSecond = 10 } = load;
  const { ground, stop } = layGround({ stack, preset, seed, signal, say });
  try {
    say('Nodes and the demo mesh');
    const { kube, config } = await openCluster(ground, manifests, { ...identityTimes[preset], ...options.settings });
    say('Controllers, agents and Envoy');
    const plane = await startPlane(ground, kube, config);
    say('Pods, routes and load');
    const url = await settle(ground, plane);
    const traffic = await startTraffic(ground, kube, plane, url, { requestsPerSecond, connectionsPerSecond });
    const { agents, controllers, truth } = plane;
    return {
      nodes: agents.nodes.map(({ name, hubbleAddress }) => ({ name, hubbleAddress })),
      gateway: { url, address: controllers.operator.addressOf('backend/mesh') },
      metrics: registerMetrics(stack, plane),
      hubbleTls: plane.hubbleTls.client,
      relay: { address: plane.relay.address },
      faults: allFaults(plane, traffic),
      clients: traffic.clients,
      forget: () => Promise.resolve(agents.forget()),
      parts: createParts(ground, kube, plane, url),
      truth,
      encryption: controllers.encryption,
      pods: () => listPods(controllers.world.pods.objects.values(), controllers.world.services.objects),
      connections: () => traffic.hops.counts,
      load: () => traffic.load.counts(),
      // Decided and recorded when they begin.
      settle: () => Promise.resolve(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
