/** Watch-driven: routes, gateways and endpoints in the cluster become Envoy's configuration, and the record says when it was in force. */
import { createXdsFiles } from '../envoy/files.ts';
import type { Envoy } from '../envoy/process.ts';
import { cluster, endpoints, fileSafe, listener } from '../envoy/resources.ts';
import { keyOf } from '../kube/types.ts';
import type { PodBook } from '../pod-book.ts';
import type { World } from '../world.ts';
import { type Entry, listenerPlans, type Plan } from './plans.ts';
import { type AttachedRoute, type ClusterTarget, clusterTargets, routeConfiguration } from './translate.ts';

export interface XdsOptions {
  readonly world: World;
  readonly book: PodBook;
  readonly folder: string;
  /** A free loopback port. */
  readonly takePort: (purpose: string) => Promise<number>;
  readonly now: () => number;
  /** Routes with their generation, once Envoy has them in force. */
  readonly onInForce: (routes: readonly { readonly key: string; readonly generation: number }[], at: number) => void;
}

export interface ClusterState {
  readonly target: ClusterTarget;
  /** Local ports of its ready pods. */
  readonly ports: readonly number[];
  /** When it last had none (Unix ms); Envoy may have been without a little longer. */
  readonly lastEmptyAt: number | undefined;
}

export interface Xds {
  /** Routes, clusters and listeners; resolves when Envoy has them (if it runs). */
  routes(): Promise<void>;
  /** Endpoints of every cluster. */
  endpoints(): void;
  /** Envoy is up: from now on, wait until it has what was written. */
  attach(envoy: Envoy): void;
  /** Loopback port of a listener, `<namespace>/<gateway>/<listener>`. */
  portOf(listener: string): number | undefined;
  /** Loopback port on which the Envoy of a node takes what its pods send to a Service (`namespace/name`) that routes hang on. */
  servicePort(service: string, port: number, node: string): number | undefined;
  /** What a loopback port of Envoy stands for. */
  entryOf(port: number): Entry | undefined;
  /** Clusters that exist now, with the pods' local ports. */
  readonly clusters: ReadonlyMap<string, ClusterState>;
}

function resolvable(world: World, target: ClusterTarget): boolean {
  return (world.services.objects.get(`${target.namespace}/${target.service}`)?.spec.ports ?? []).some((port) => port.port === target.port);
}

/** Local ports of the ready endpoints behind a Service's port. */
function readyPorts(world: World, book: PodBook, target: ClusterTarget): readonly number[] {
  return [...world.slices.objects.values()]
    .filter(
      (slice) => slice.metadata.namespace === target.namespace && slice.metadata.labels?.['kubernetes.io/service-name'] === target.service,
    )
    .flatMap((slice) => slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap((endpoint) => endpoint.addresses)
    .flatMap((address) => book.byIp(address)?.gatewayPort ?? [])
    .toSorted((one, other) => one - other);
}

/** The translation, with nothing written yet. */
export function createXds(options: XdsOptions): Xds {
  const { world, book, folder } = options;
  const files = createXdsFiles(folder);
  const ports = new Map<string, readonly number[]>();
  const entries = new Map<number, Entry>();
  const clusters = new Map<string, ClusterState>();
  let envoy: Envoy | undefined;

  const putEndpoints = (target: ClusterTarget): void => {
    const local = readyPorts(world, book, target);
    const before = clusters.get(target.name);
    const wasEmpty = before === undefined || before.ports.length === 0;
    clusters.set(target.name, { target, ports: local, lastEmptyAt: wasEmpty ? options.now() : before.lastEmptyAt });
    files.put(`eds-${fileSafe(target.name)}`, 'endpoints.json', [endpoints(target.name, local)]);
  };

  const putClusters = async (targets: readonly ClusterTarget[]): Promise<void> => {
    const names = new Set(targets.map((target) => target.name));
    for (const name of clusters.keys()) if (!names.has(name)) clusters.delete(name);
    const fresh = targets.filter((target) => !clusters.has(target.name));
    for (const target of fresh) putEndpoints(target);
    files.put(
      'cds',
      'clusters.json',
      targets.map((target) => cluster(target.name, target.grpc, folder)),
    );
    if (fresh.length > 0) await envoy?.warm();
  };

  /** A listener keeps its ports when its routes go and come again. */
  const portsOf = async (plan: Plan): Promise<readonly number[]> => {
    const known = ports.get(plan.name);
    if (known) return known;
    const taken: number[] = [];
    for (const entry of plan.entries) {
      const port = await options.takePort(`the listener ${plan.name} on ${entry.node}`);
      entries.set(port, entry);
      taken.push(port);
    }
    ports.set(plan.name, taken);
    return taken;
  };

  const putListener = async (plan: Plan): Promise<object> => {
    const local = await portsOf(plan);
    const id = fileSafe(plan.name);
    const version = files.put(`rds-${id}`, 'routes.json', [routeConfiguration(id, plan.config, plan.hostname, plan.routes)]);
    void confirm(id, version, plan.routes);
    return listener(id, local, folder);
  };

  const confirm = async (id: string, version: number, routes: readonly AttachedRoute[]): Promise<void> => {
    const keys = routes.map(({ route }) => ({ key: keyOf(route), generation: route.metadata.generation ?? 0 }));
    // Envoy going away while it is asked is the end of the run, or reported by whoever started it.
    const at = await envoy?.inForce(id, id, version).catch(() => undefined);
    if (at !== undefined) options.onInForce(keys, at);
  };

  return {
    clusters,
    attach: (running) => {
      envoy = running;
    },
    portOf: (name) => ports.get(name)?.[0],
    servicePort: (service, port, node) => ports.get(`${service}:${port}`)?.find((local) => entries.get(local)?.node === node),
    entryOf: (port) => entries.get(port),
    endpoints: () => {
      for (const { target } of clusters.values()) putEndpoints(target);
    },
    routes: async () => {
      const plans = listenerPlans(world);
      const targets = new Map(plans.flatMap(({ config, routes }) => clusterTargets(config, routes)).map((target) => [target.name, target]));
      await putClusters([...targets.values()].filter((target) => resolvable(world, target)));
      const listeners: object[] = [];
      for (const plan of plans) listeners.push(await putListener(plan));
      files.put('lds', 'listeners.json', listeners);
    },
  };
}
