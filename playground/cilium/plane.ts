/** The data plane and its eyes: pods' servers, Envoy, agents, and the packet path between them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type CiliumSettings, ciliumConfig } from './apply-manifests.ts';
import type { Connections, Policies } from './connections/connection-truth.ts';
import { createConnectionTruth } from './connections/connection-truth.ts';
import type { Path } from './connections/path.ts';
import { layPath } from './connections/path.ts';
import type { Controllers } from './controllers.ts';
import { startControllers } from './controllers.ts';
import { serveAccessLog } from './envoy/access-log.ts';
import type { Envoy } from './envoy/process.ts';
import { startEnvoy } from './envoy/process.ts';
import type { Agents } from './flows/agents.ts';
import { startAgents } from './flows/agents.ts';
import type { Relay } from './flows/relay.ts';
import { startRelay } from './flows/relay.ts';
import { createWitness } from './gateway/witness.ts';
import type { Ground } from './ground.ts';
import { type HubbleTls, issueHubbleTls } from './hubble-tls.ts';
import type { Kube } from './kube/client.ts';
import type { Truth } from './truth.ts';
import { createTruth } from './truth.ts';
import { until } from './until.ts';
import type { Pods } from './workloads/pods.ts';
import { startPods } from './workloads/pods.ts';

export interface Plane {
  readonly controllers: Controllers;
  readonly agents: Agents;
  readonly envoy: Envoy;
  readonly truth: PlaneTruth;
  readonly path: Path;
  readonly pods: Pods;
  readonly relay: Relay;
  readonly hubbleTls: HubbleTls;
  /** Namespaces whose pods report each request a second time. */
  readonly doubles: Set<string>;
}

/** What really happened: requests and weights, connections, and policies as they came in force. */
export interface PlaneTruth extends Truth {
  readonly connections: Connections;
  readonly policies: Policies;
}

async function startGatewayEnvoy(ground: Ground, accessLogPort: number): Promise<Envoy> {
  const { stack, now, signal } = ground;
  const envoy = await startEnvoy({
    warden: stack.warden,
    binary: stack.binaries.envoy,
    folder: join(stack.dir, 'envoy'),
    adminPort: await stack.ports.take("Envoy's admin interface"),
    accessLogPort,
    now,
    signal,
  });
  ground.onStop(() => envoy.stop());
  return envoy;
}

/** Starts the controllers, the agents and Envoy, in this order: Envoy finds its listeners written. */
export async function startPlane(ground: Ground, kube: Kube, config: CiliumSettings): Promise<Plane> {
  const { now, onError } = ground;
  const truth = createTruth();
  const more = createConnectionTruth();
  const pods = startPods(ground.delays.serviceTime, ground.seed, onError);
  ground.onStop(() => pods.stop());
  let path: Path | undefined;
  const controllers = await startControllers(ground, kube, config, pods, truth, {
    inForce: (change) => {
      more.inForce(change);
      path?.doors.update();
    },
    identity: () => path?.doors.update(),
    encryption: () => path?.doors.update(),
  });
  const hubbleTls = await issueHubbleTls(join(ground.stack.dir, 'hubble'), ciliumConfig['cluster-name'] ?? '', now());
  const agents = await startAgents({ now, lag: ground.delayOf('flowLag'), credentials: hubbleTls.agents });
  ground.onStop(() => agents.stop());
  const relay = await startRelay({ peers: agents.peers, now, delay: ground.delayOf('relay'), credentials: hubbleTls.relay });
  ground.onStop(() => relay.stop());
  const doubles = new Set<string>();
  const { world, book, xds, operator, realisation, encryption } = controllers;
  const isLost = (from: string, to: string): boolean => encryption.passage(from, to) === 'lost';
  const { doors, ...rest } = layPath(ground, {
    book,
    agents,
    realisation,
    pods,
    connected: more.connected,
    isLost,
    swallows: (from, to) => encryption.swallows(from, to),
  });
  path = { doors, ...rest };
  const addressOf = (gateway: string): string => operator.addressOf(gateway);
  const isShut = (pod: string): boolean => doors.isShut(pod);
  const witness = createWitness({ world, book, xds, agents, truth, uuid: randomUUID, doubles, addressOf, isShut });
  const accessLog = await serveAccessLog(witness, now);
  ground.onStop(() => accessLog.close());
  const envoy = await startGatewayEnvoy(ground, accessLog.port);
  xds.attach(envoy);
  await xds.routes();
  const allTruth = Object.assign(truth.truth, { connections: more.connections, policies: more.policies });
  return { controllers, agents, envoy, truth: allTruth, path, pods, relay, hubbleTls, doubles };
}

const settleMs = 60_000;

/** Waits until every Deployment and StatefulSet has its pods ready and a Gateway listener with a route in force; resolves to that listener's URL. */
export async function settle(ground: Ground, plane: Plane): Promise<string> {
  const { world, xds } = plane.controllers;
  const within = { withinMs: settleMs, signal: ground.signal };
  const available = (): boolean =>
    [...world.deployments.objects.values(), ...world.statefulSets.objects.values()].every(
      (each) => Number(each.status?.['readyReplicas'] ?? 0) >= (each.spec.replicas ?? 1),
    );
  await until(available, { what: 'The demo pods are not ready', ...within });
  const listener = (): string | undefined => {
    const [gateway] = [...world.gateways.objects.values()];
    const port = gateway && xds.portOf(`${gateway.metadata.namespace}/${gateway.metadata.name}/${gateway.spec.listeners[0]?.name}`);
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  };
  await until(() => listener() !== undefined, { what: 'No Gateway listener came up', ...within });
  const warm = (): boolean =>
    plane.truth.weights.some((each) => each.inForceAt !== undefined) && [...xds.clusters.values()].every(({ ports }) => ports.length > 0);
  await until(warm, { what: 'No route came in force', ...within });
  return listener() ?? '';
}
