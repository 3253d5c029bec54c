/**
 * The Gateway on real nodes: routes, clusters and weights are the real operator's, the proxy is a plain Envoy on the first node, and the flows are
 * the real agent's, out of what the proxy logs. What the agent does for Cilium's own Envoy is done here.
 */
import { join } from 'node:path';
import { type Exchange, serveAccessLog } from '../../cilium/envoy/access-log.ts';
import { createXdsFiles } from '../../cilium/envoy/files.ts';
import { type Envoy, startEnvoy } from '../../cilium/envoy/process.ts';
import { endpointsAt, fileSafe } from '../../cilium/envoy/resources.ts';
import { clusterName, parseClusterName, weightsOf } from '../../cilium/gateway/translate.ts';
import type { Ground } from '../../cilium/ground.ts';
import { type Kube, resource } from '../../cilium/kube/client.ts';
import { createLoop } from '../../cilium/kube/loop.ts';
import { type Mirror, mirror } from '../../cilium/kube/mirror.ts';
import { resources } from '../../cilium/kube/resources.ts';
import type { KubeObject, Route } from '../../cilium/kube/types.ts';
import type { TruthWriter } from '../../cilium/truth.ts';
import { until } from '../../cilium/until.ts';
import type { World } from '../../cilium/world.ts';
import type { Stack } from '../../cluster/stack.ts';
import { CONTROL_ADDRESS, GATEWAY_ADDRESS } from '../addresses.ts';
import { STATE } from '../config.ts';
import type { RealNode } from '../node.ts';
import type { PodProcess } from '../pod-process.ts';
import { logEntry, type Reached } from './records.ts';
import { type EnvoyConfig, sharesOf, shareText, text, translate } from './resources.ts';

export interface RealGateway {
  readonly url: string;
  readonly address: string;
  readonly metrics: string;
  /** EndpointSlices or routes have changed. */
  changed(): void;
}

export interface RealGatewayOptions {
  readonly stack: Stack;
  readonly node: RealNode;
  readonly world: World;
  readonly pods: PodProcess;
  readonly truth: TruthWriter;
}

interface Endpoint extends KubeObject {
  readonly status?: {
    readonly identity?: { readonly id?: number };
    readonly networking?: { readonly addressing?: readonly { readonly ipv4?: string }[] };
  };
}

const CONFIG = 'backend/cilium-gateway-mesh';
const PORT = 80;
const ADMIN_PORT = 9_901;
const PROGRAMMED_WITHIN_MS = 60_000;
const MOST_OPEN = 10_000;
const SOCKET = `${STATE}/envoy/sockets/access_log.sock`;

/** Gives Gateways their addresses, as a cluster's administrator does. */
const POOL = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumLoadBalancerIPPool',
  metadata: { name: 'playground' },
  spec: { blocks: [{ start: GATEWAY_ADDRESS, stop: GATEWAY_ADDRESS }] },
};

/** Starts the proxy and resolves when the demo's route is in force. */
export async function startRealGateway(ground: Ground, kube: Kube, options: RealGatewayOptions): Promise<RealGateway> {
  const { stack, node, world, truth } = options;
  const { now, signal, onError } = ground;
  await kube.apply(resource('/apis/cilium.io/v2', 'ciliumloadbalancerippools', false), POOL as KubeObject);
  let update = (): void => undefined;
  const watch = <T extends KubeObject>(of: (typeof resources)[keyof typeof resources]): Mirror<T> =>
    mirror<T>({ kube, of, signal, onChange: () => update(), onError });
  const configs = watch<KubeObject & EnvoyConfig>(resources.ciliumEnvoyConfigs);
  const endpoints = watch<Endpoint>(resources.ciliumEndpoints);
  await Promise.all([configs.synced, endpoints.synced]);

  const accessLog = await serveAccessLog(createWitness(options, endpoints, onError), now, CONTROL_ADDRESS);
  ground.onStop(() => accessLog.close());
  const folder = join(stack.dir, 'envoy');
  const files = createXdsFiles(folder);
  for (const [kind, file] of [
    ['lds', 'listeners.json'],
    ['cds', 'clusters.json'],
  ] as const)
    files.put(kind, file, []);
  const envoy = await startEnvoy({
    warden: stack.warden,
    binary: stack.binaries.envoy,
    folder,
    adminPort: ADMIN_PORT,
    address: node.node.hostAddress,
    accessLogPort: accessLog.port,
    accessLogAddress: CONTROL_ADDRESS,
    within: node.inside([]),
    now,
    signal,
  });
  ground.onStop(() => envoy.stop());
  const reconcile = () => write({ config: configs.objects.get(CONFIG), folder, files, envoy, world, truth });
  const loop = createLoop({ reconcile, delay: () => 0, signal, onError });
  update = () => loop.trigger();
  update();
  const inForce = (): boolean => truth.truth.weights.some(({ inForceAt }) => inForceAt !== undefined);
  await until(inForce, { what: "The demo's route is not in force", withinMs: PROGRAMMED_WITHIN_MS, signal });
  const metrics = `${node.node.hostAddress}:${ADMIN_PORT}`;
  stack.prometheus.scrape('cilium-envoy', [metrics], { metricsPath: '/stats/prometheus' });
  return {
    url: `http://${GATEWAY_ADDRESS}:${PORT}`,
    address: GATEWAY_ADDRESS,
    metrics: `http://${metrics}/stats/prometheus`,
    changed: () => update(),
  };
}

interface Written {
  readonly config: EnvoyConfig | undefined;
  readonly folder: string;
  readonly files: ReturnType<typeof createXdsFiles>;
  readonly envoy: Envoy;
  readonly world: World;
  readonly truth: TruthWriter;
}

/** Endpoints first, then clusters, then what sends to them. */
async function write({ config, folder, files, envoy, world, truth }: Written): Promise<void> {
  if (!config) return;
  const { clusters, listeners, routes, services, statPrefix } = translate(config, folder, GATEWAY_ADDRESS, PORT);
  for (const [name, service] of services)
    files.put(`eds-${fileSafe(name)}`, 'endpoints.json', [endpointsAt(name, addressesOf(service, world))]);
  files.put('cds', 'clusters.json', clusters);
  await envoy.warm();
  // What is in force now; a route that changes meanwhile comes in the next run.
  const wanted = [...world.httpRoutes.objects].map(([key, route]) => ({ key, route }));
  let version = 0;
  let name = '';
  for (const each of routes) {
    name = text(each['name']);
    version = files.put(`rds-${fileSafe(name)}`, 'routes.json', [each]);
  }
  files.put('lds', 'listeners.json', listeners);
  const at = await envoy.inForce(statPrefix, name, version);
  if (at === undefined) return;
  const shares = sharesOf(routes);
  for (const { key, route } of wanted) if (isIn(route, shares)) truth.routeInForce(key, route.metadata.generation ?? 0, at);
}

/** Whether every rule of a route is among what the proxy has. */
function isIn(route: Route, shares: ReadonlySet<string>): boolean {
  const namespace = route.metadata.namespace ?? '';
  const ports = (route.spec.rules ?? []).map(
    (rule) => new Map((rule.backendRefs ?? []).map((each) => [`${each.namespace ?? namespace}/${each.name}`, each.port ?? 0])),
  );
  return weightsOf(route).every((rule, index) => {
    const weights = Object.entries(rule).map(([service, weight]) => {
      const [ns = '', name = ''] = service.split('/');
      return [clusterName(CONFIG, ns, name, ports[index]?.get(service) ?? 0), weight] as const;
    });
    return shares.has(shareText(weights));
  });
}

/** `address`, `port` of every ready pod behind `namespace/service:port`. */
function addressesOf(service: string, world: World): readonly (readonly [string, number])[] {
  const match = /^([^/]+)\/([^:]+):(.+)$/.exec(service);
  if (!match) return [];
  const [, namespace = '', name = '', port = ''] = match;
  const ports = world.services.objects.get(`${namespace}/${name}`)?.spec.ports ?? [];
  const index = Math.max(
    0,
    ports.findIndex((each) => String(each.port) === port || each.name === port),
  );
  return [...world.slices.objects.values()]
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints, ports: targets }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) => addresses.map((address) => [address, targets?.[index]?.port ?? Number(port)] as const)),
    );
}

/** Tells the agent of the gateway's node what the proxy has seen, and keeps the true record. */
function createWitness({ node, pods, world, truth }: RealGatewayOptions, endpoints: Mirror<Endpoint>, onError: (error: unknown) => void) {
  const open = new Map<string, Reached>();
  const socket = node.path(SOCKET);
  const podAt = (address: string): Reached & { readonly key: string } => {
    const ip = address.slice(0, address.lastIndexOf(':'));
    const found = [...endpoints.objects].find(([, { status }]) => status?.networking?.addressing?.some(({ ipv4 }) => ipv4 === ip));
    return { address, identity: found?.[1].status?.identity?.id ?? 0, key: found?.[0] ?? '' };
  };
  const tell = (...entries: readonly object[]): void => void pods.l7(socket, entries).catch(onError);
  const nobody: Reached = { address: `${GATEWAY_ADDRESS}:${PORT}`, identity: 0 };

  return (exchange: Exchange): void => {
    const source = exchange.upstreamLocal || `${node.node.ingressAddress}:${exchange.clientPort}`;
    if (exchange.moment === 'reached') {
      if (open.size >= MOST_OPEN) open.delete(open.keys().next().value ?? '');
      const reached = podAt(exchange.upstream);
      open.set(exchange.requestId, reached);
      tell(logEntry('Request', exchange, reached, source));
      return;
    }
    const reached = open.get(exchange.requestId);
    open.delete(exchange.requestId);
    if (exchange.status > 0) {
      const end = reached ?? nobody;
      tell(...(reached ? [] : [logEntry('Request', exchange, end, source)]), logEntry('Response', exchange, end, source));
    }
    const of = parseClusterName(exchange.cluster);
    truth.request({
      at: exchange.endedAt,
      startedAt: exchange.startedAt,
      service: of ? `${of.namespace}/${of.service}` : withoutPods(world),
      backend: exchange.upstream ? podAt(exchange.upstream).key : '',
      status: exchange.status,
      latencyMs: exchange.endedAt - exchange.startedAt,
      ok: exchange.status > 0 && exchange.status < 500,
    });
  };
}

/** Envoy names no cluster when it had none to send to: the backend with weight and without pods. */
function withoutPods(world: World): string {
  const backends = [...world.httpRoutes.objects.values()].flatMap((route) => weightsOf(route).flatMap((rule) => Object.entries(rule)));
  const lacking = backends.find(([service, weight]) => weight > 0 && addressesOf(`${service}:0`, world).length === 0);
  return lacking?.[0] ?? '';
}
