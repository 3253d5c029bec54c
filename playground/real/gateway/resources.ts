/**
 * The operator's CiliumEnvoyConfig as a plain Envoy takes it: the agent's part of the work. Names are qualified as the agent does it; address,
 * configuration sources and access log are added; filters that only Cilium's build of Envoy has are left out (HTTP policies do not bite here).
 */
import { fromFile } from '../../cilium/envoy/bootstrap.ts';
import { accessLog, fileSafe, logNames } from '../../cilium/envoy/resources.ts';

type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
type Resource = { readonly [key: string]: Value };

export interface EnvoyConfig {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly resources?: readonly Resource[] };
}

export interface Translated {
  readonly listeners: readonly Resource[];
  readonly clusters: readonly Resource[];
  readonly routes: readonly Resource[];
  /** Name of an Envoy cluster to what it is made of: `namespace/service:port`. */
  readonly services: ReadonlyMap<string, string>;
  /** How the route counters of a listener are called. */
  readonly statPrefix: string;
}

/** A field that is a text; '' where it is none. */
export const text = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
const isObject = (value: Value | undefined): value is Resource => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every object of a resource, changed from the inside out. */
function walk(value: Value, change: (object: Resource) => Resource): Value {
  if (Array.isArray(value)) return value.map((each: Value) => walk(each, change));
  if (!isObject(value)) return value;
  return change(Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, change)])));
}

const typeOf = (object: Resource): string => text(object['@type']).split('.').at(-1) ?? '';
const isCiliums = (filter: Value): boolean => isObject(filter) && text(filter['name']).startsWith('cilium.');
function without(filters: Value | undefined): readonly Value[] {
  return Array.isArray(filters) ? filters.filter((each: Value) => !isCiliums(each)) : [];
}

/** What Envoy is to run for one CiliumEnvoyConfig; its files are below `folder`, its listeners on `address`. */
export function translate(config: EnvoyConfig, folder: string, address: string, port: number): Translated {
  const prefix = `${config.metadata.namespace}/${config.metadata.name}/`;
  const resources = config.spec.resources ?? [];
  const of = (type: string): readonly Resource[] => resources.filter((each) => typeOf(each) === type);
  const services = new Map<string, string>();
  let statPrefix = '';

  const manager = (object: Resource): Resource => {
    if (typeOf(object) !== 'HttpConnectionManager') return object;
    statPrefix = text(object['statPrefix']);
    const routes = isObject(object['rds']) ? text(object['rds']['routeConfigName']) : '';
    const router = (filter: Value): Value =>
      isObject(filter) && isObject(filter['typedConfig']) && typeOf(filter['typedConfig']) === 'Router'
        ? {
            ...filter,
            typedConfig: {
              ...filter['typedConfig'],
              upstreamLog: [accessLog(logNames.upstream)],
              upstreamLogOptions: { flushUpstreamLogOnUpstreamStream: true },
            } as unknown as Resource,
          }
        : filter;
    return {
      ...object,
      httpFilters: without(object['httpFilters']).map(router),
      rds: {
        routeConfigName: prefix + routes,
        configSource: fromFile(folder, `rds-${fileSafe(prefix + routes)}`, 'routes.json') as Resource,
      },
      accessLog: [accessLog(logNames.downstream) as Resource],
    };
  };
  const listener = (resource: Resource): Resource => ({
    ...(walk(resource, manager) as Resource),
    name: prefix + text(resource['name']),
    address: { socketAddress: { address, portValue: port } },
    listenerFilters: without(resource['listenerFilters']),
    filterChains: plainChains(walk(resource['filterChains'] ?? [], manager)),
  });
  const cluster = (resource: Resource): Resource => {
    const name = prefix + text(resource['name']);
    const eds = isObject(resource['edsClusterConfig']) ? resource['edsClusterConfig'] : {};
    services.set(name, text(eds['serviceName']));
    const edsConfig = fromFile(folder, `eds-${fileSafe(name)}`, 'endpoints.json') as Resource;
    return { connectTimeout: '2s', ...resource, name, edsClusterConfig: { serviceName: name, edsConfig } };
  };
  const qualified = (object: Resource): Resource => ({
    ...object,
    ...(typeof object['cluster'] === 'string' ? { cluster: prefix + object['cluster'] } : {}),
    ...(Array.isArray(object['clusters'])
      ? { clusters: object['clusters'].map((each: Value) => (isObject(each) ? { ...each, name: prefix + text(each['name']) } : each)) }
      : {}),
  });
  return {
    listeners: of('Listener').map(listener),
    clusters: of('Cluster').map(cluster),
    routes: of('RouteConfiguration').map((each) => ({
      ...(walk(each, qualified) as Resource),
      name: prefix + text(each['name']),
      validateClusters: false,
    })),
    services,
    statPrefix,
  };
}

/** The demo has no TLS listeners. */
function plainChains(chains: Value): readonly Value[] {
  return (Array.isArray(chains) ? chains : []).filter((chain: Value) => {
    const match = isObject(chain) ? chain['filterChainMatch'] : undefined;
    return !(isObject(match) && match['transportProtocol'] === 'tls');
  });
}

/** What a route configuration gives to whom: one text for each route in it, clusters with their weights in order. */
export function sharesOf(routes: readonly Resource[]): ReadonlySet<string> {
  const shares = new Set<string>();
  const look = (object: Resource): Resource => {
    const weighted = isObject(object['weightedClusters']) ? object['weightedClusters']['clusters'] : undefined;
    if (Array.isArray(weighted)) shares.add(shareText(weighted.map((each: Resource) => [text(each['name']), Number(each['weight'] ?? 0)])));
    else if (typeof object['cluster'] === 'string') shares.add(shareText([[object['cluster'], 1]]));
    return object;
  };
  walk(routes as Value, look);
  return shares;
}

/** Clusters to weights, without those that get nothing; one that gets all counts as 1. */
export function shareText(weights: readonly (readonly [string, number])[]): string {
  const some = weights.filter(([, weight]) => weight > 0).toSorted(([one], [other]) => one.localeCompare(other));
  return some.map(([name, weight]) => `${name}=${some.length === 1 ? 1 : weight}`).join(' ');
}
