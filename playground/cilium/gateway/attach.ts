/** Which listeners a route attaches to, by Gateway API rules as Cilium's operator checks them (v1.20.2 operator/pkg/gateway-api/routechecks). */
import type { Gateway, Listener, ParentRef, Route } from '../kube/types.ts';

export const controllerName = 'io.cilium/gateway-controller';

/** A refusal in the words of the Gateway API. */
export interface Refusal {
  readonly reason: 'NoMatchingParent' | 'NotAllowedByListeners' | 'NoMatchingListenerHostname' | 'InvalidHTTPRoute';
  readonly message: string;
}

/** Hostnames that a listener and a route have in common; `['*']` when neither restricts. Empty when they share none. */
export function commonHostnames(listener: string | undefined, route: readonly string[]): readonly string[] {
  if (listener === undefined || listener === '*' || listener === '') return route.length === 0 ? ['*'] : route;
  if (route.length === 0) return [listener];
  return route.flatMap((hostname) => {
    if (hostname === listener) return [hostname];
    if (covers(listener, hostname)) return [hostname];
    return covers(hostname, listener) ? [listener] : [];
  });
}

const covers = (pattern: string, hostname: string): boolean => pattern.startsWith('*.') && hostname.endsWith(pattern.slice(1));

function allowsNamespace(
  listener: Listener,
  gatewayNamespace: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  const rule = listener.allowedRoutes?.namespaces;
  const from = rule?.from ?? 'Same';
  if (from === 'All') return true;
  if (from === 'Same') return namespace === gatewayNamespace;
  return Object.entries(rule?.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

/**
 * The listeners that take this route from this parentRef, or why none does. `namespaceLabels` are those of the route's own
 * namespace.
 */
export function attach(
  route: Route,
  kind: string,
  parent: ParentRef,
  gateway: Gateway,
  namespaceLabels: Readonly<Record<string, string>>,
): readonly Listener[] | Refusal {
  const named = gateway.spec.listeners.filter(
    (listener) =>
      (parent.sectionName === undefined || listener.name === parent.sectionName) &&
      (parent.port === undefined || listener.port === parent.port),
  );
  if (named.length === 0) {
    const wanted = parent.sectionName === undefined ? `port ${parent.port}` : `sectionName ${parent.sectionName}`;
    return { reason: 'NoMatchingParent', message: `No matching listener with ${wanted}` };
  }
  const ofKind = named.filter((listener) => (listener.allowedRoutes?.kinds ?? [{ kind }]).some((allowed) => allowed.kind === kind));
  if (ofKind.length === 0)
    return { reason: 'NotAllowedByListeners', message: `${kind} is not allowed to attach to this Gateway due to route kind restrictions` };
  const open = ofKind.filter((listener) =>
    allowsNamespace(listener, gateway.metadata.namespace ?? '', route.metadata.namespace ?? '', namespaceLabels),
  );
  if (open.length === 0)
    return { reason: 'NotAllowedByListeners', message: `${kind} is not allowed to attach to this Gateway due to namespace restrictions` };
  const fitting = open.filter((listener) => commonHostnames(listener.hostname, route.spec.hostnames ?? []).length > 0);
  return fitting.length === 0 ? { reason: 'NoMatchingListenerHostname', message: 'No matching listener hostname' } : fitting;
}

export const isRefusal = (result: readonly Listener[] | Refusal): result is Refusal => 'reason' in result;

/** True when a parentRef names a Gateway (the default kind). */
export function namesGateway(parent: ParentRef): boolean {
  return (parent.kind ?? 'Gateway') === 'Gateway' && (parent.group ?? 'gateway.networking.k8s.io') === 'gateway.networking.k8s.io';
}

/** True when a parentRef names a Service: east-west traffic (GAMMA). */
export const namesService = (parent: ParentRef): boolean => parent.kind === 'Service' && (parent.group ?? '') === '';
