/**
 * HTTPRoutes and GRPCRoutes of a Gateway, or of a Service of the mesh, as Envoy's xDS resources (JSON), named as Cilium names them, so that the Envoy metrics read the same
 * (v1.20.2 operator/pkg/model/translation). Pure: what goes in decides what comes out.
 */
import type { BackendRef, Gateway, Route, RouteRule } from '../kube/types.ts';
import { commonHostnames } from './attach.ts';
import { byPrecedence, envoyMatch, grpcMatch } from './matches.ts';

export interface AttachedRoute {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly route: Route;
}

/** `namespace/name` of the CiliumEnvoyConfig of a Gateway. */
export const gatewayConfig = ({ metadata }: Gateway): string => `${metadata.namespace}/cilium-gateway-${metadata.name}`;

/** Cilium's name of an Envoy cluster: `<CiliumEnvoyConfig ns>/<CiliumEnvoyConfig>/<ns>:<service>:<port>`. */
export function clusterName(config: string, namespace: string, service: string, port: number): string {
  return `${config}/${namespace}:${service}:${port}`;
}

/** Namespace, service and port out of an Envoy cluster name; undefined for clusters that are of no CiliumEnvoyConfig. */
export function parseClusterName(
  name: string,
): { readonly namespace: string; readonly service: string; readonly port: number } | undefined {
  const match = /^[^/]+\/[^/]+\/([^:]+):([^:]+):(\d+)$/.exec(name);
  return match ? { namespace: match[1] ?? '', service: match[2] ?? '', port: Number(match[3]) } : undefined;
}

function durationSeconds(text: string | undefined): string {
  // Cilium turns Envoy's 15 s default off: without a rule's own timeout a hanging backend hangs its client.
  if (text === undefined) return '0s';
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(h|ms|m|s)/g)) {
    seconds += Number(amount) * ({ h: 3600, m: 60, s: 1, ms: 0.001 }[unit ?? 's'] ?? 0);
  }
  return `${seconds}s`;
}

function targetOf(config: string, route: Route, backend: BackendRef): string {
  return clusterName(config, backend.namespace ?? route.metadata.namespace ?? '', backend.name, backend.port ?? 0);
}

/** Weights as Envoy gets them: default 1, zero left out; a rule whose weights are all zero answers 500 (Gateway API). */
function action(config: string, route: Route, rule: RouteRule): object {
  const backends = (rule.backendRefs ?? []).filter((backend) => (backend.weight ?? 1) > 0);
  if (backends.length === 0) return { direct_response: { status: 500 } };
  const [only] = backends;
  const target =
    backends.length === 1 && only
      ? { cluster: targetOf(config, route, only) }
      : { weighted_clusters: { clusters: backends.map((b) => ({ name: targetOf(config, route, b), weight: b.weight ?? 1 })) } };
  // A Service that does not exist has no cluster: its share of the requests must get 500.
  const base = { ...target, cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR', timeout: durationSeconds(rule.timeouts?.request) };
  return { route: { ...base, max_stream_duration: { max_stream_duration: '0s' } } };
}

/** `<namespace>/<route>/<rule index>`: the route name that access log records carry. */
export const routeName = (route: Route, index: number): string => `${route.metadata.namespace}/${route.metadata.name}/${index}`;

function entriesOf(
  config: string,
  attached: AttachedRoute,
): readonly { readonly match: Record<string, unknown>; readonly entry: object }[] {
  return (attached.route.spec.rules ?? []).flatMap((rule, index) =>
    (rule.matches ?? [{}]).map((wanted) => {
      const match = attached.kind === 'GRPCRoute' ? grpcMatch(wanted) : envoyMatch(wanted);
      return { match, entry: { name: routeName(attached.route, index), match, ...action(config, attached.route, rule) } };
    }),
  );
}

/** The RouteConfiguration of one listener. `config`: `namespace/name` of its CiliumEnvoyConfig. */
export function routeConfiguration(
  name: string,
  config: string,
  listenerHostname: string | undefined,
  routes: readonly AttachedRoute[],
): object {
  const byHost = new Map<string, { match: Record<string, unknown>; entry: object }[]>();
  for (const attached of routes) {
    for (const hostname of commonHostnames(listenerHostname, attached.route.spec.hostnames ?? [])) {
      byHost.set(hostname, [...(byHost.get(hostname) ?? []), ...entriesOf(config, attached)]);
    }
  }
  const virtualHosts = [...byHost].map(([hostname, entries]) => ({
    name: hostname,
    domains: hostname === '*' ? ['*'] : [hostname, `${hostname}:*`],
    routes: entries.toSorted((one, other) => byPrecedence(one.match, other.match)).map(({ entry }) => entry),
  }));
  return {
    '@type': 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
    name,
    virtual_hosts: virtualHosts,
    // Without it a route to a Service that does not exist would block the whole update.
    validate_clusters: false,
  };
}

export interface ClusterTarget {
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  readonly grpc: boolean;
}

/** The clusters that routes need, each once; weight 0 included, so that a later weight finds its cluster warm. */
export function clusterTargets(config: string, routes: readonly AttachedRoute[]): readonly ClusterTarget[] {
  const targets = new Map<string, ClusterTarget>();
  for (const { route, kind } of routes) {
    for (const backend of (route.spec.rules ?? []).flatMap((rule) => rule.backendRefs ?? [])) {
      const namespace = backend.namespace ?? route.metadata.namespace ?? '';
      const port = backend.port ?? 0;
      const name = clusterName(config, namespace, backend.name, port);
      targets.set(name, { name, namespace, service: backend.name, port, grpc: kind === 'GRPCRoute' });
    }
  }
  return [...targets.values()];
}

/** Weights of every rule of a route by `namespace/service`, in order. */
export function weightsOf(route: Route): readonly Readonly<Record<string, number>>[] {
  return (route.spec.rules ?? []).map((rule) =>
    Object.fromEntries(
      (rule.backendRefs ?? []).map((backend) => [
        `${backend.namespace ?? route.metadata.namespace ?? ''}/${backend.name}`,
        backend.weight ?? 1,
      ]),
    ),
  );
}
