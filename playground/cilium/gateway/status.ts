/** The status that Cilium's operator writes on routes and gateways; reasons and order of checks from v1.20.2 operator/pkg/gateway-api. */
import type { BackendRef, Condition, Gateway, GatewayClass, ParentRef, Route, RouteParentStatus, Service } from '../kube/types.ts';
import { attach, controllerName, isRefusal, namesGateway, namesService } from './attach.ts';

/** What the checks look at: maps by `namespace/name`. */
export interface RouteWorld {
  readonly gateways: ReadonlyMap<string, Gateway>;
  readonly classes: ReadonlyMap<string, GatewayClass>;
  readonly services: ReadonlyMap<string, Service>;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
}

type Draft = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

const accepted = (kind: string): Draft => ({ type: 'Accepted', status: 'True', reason: 'Accepted', message: `Accepted ${kind}` });
const resolved: Draft = { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: 'Service reference is valid' };

/** True when a Gateway is ours, through its class. */
export function isOurs(gateway: Gateway | undefined, classes: ReadonlyMap<string, GatewayClass>): gateway is Gateway {
  return gateway !== undefined && classes.get(`/${gateway.spec.gatewayClassName}`)?.spec.controllerName === controllerName;
}

function backendProblem(route: Route, backend: BackendRef, world: RouteWorld): Draft | undefined {
  const broken = (reason: string, message: string): Draft => ({ type: 'ResolvedRefs', status: 'False', reason, message });
  const namespace = backend.namespace ?? route.metadata.namespace ?? '';
  if (namespace !== route.metadata.namespace) return broken('RefNotPermitted', 'Cross namespace references are not allowed');
  if ((backend.kind ?? 'Service') !== 'Service' || (backend.group ?? '') !== '')
    return broken('InvalidKind', `Unsupported backend kind ${backend.kind}`);
  if (backend.port === undefined) return broken('InvalidKind', 'Must have port for backend object reference');
  const service = world.services.get(`${namespace}/${backend.name}`);
  if (!service) return broken('BackendNotFound', `Service "${backend.name}" not found`);
  if (!(service.spec.ports ?? []).some((port) => port.port === backend.port))
    return broken('BackendNotFound', `Service port ${backend.port} could not be resolved for backend ${namespace}/${backend.name}`);
  return undefined;
}

function acceptance(route: Route, kind: string, parent: ParentRef, world: RouteWorld): Draft {
  const refuse = (reason: string, message: string): Draft => ({ type: 'Accepted', status: 'False', reason, message });
  const namespace = parent.namespace ?? route.metadata.namespace ?? '';
  if (namesService(parent)) {
    if (namespace !== route.metadata.namespace) return refuse('UnsupportedValue', 'Consumer routes are not supported');
    return world.services.has(`${namespace}/${parent.name}`)
      ? accepted(kind)
      : refuse(`Invalid${kind}`, `Service "${parent.name}" not found`);
  }
  const gateway = world.gateways.get(`${namespace}/${parent.name}`);
  if (!gateway) return refuse(`Invalid${kind}`, `Gateway "${parent.name}" not found`);
  const result = attach(route, kind, parent, gateway, world.namespaceLabels(route.metadata.namespace ?? ''));
  return isRefusal(result) ? refuse(result.reason, result.message) : accepted(kind);
}

function concernsUs(route: Route, parent: ParentRef, world: RouteWorld): boolean {
  if (namesService(parent)) return true;
  if (!namesGateway(parent)) return false;
  return isOurs(world.gateways.get(`${parent.namespace ?? route.metadata.namespace ?? ''}/${parent.name}`), world.classes);
}

/** Keeps the transition time of a condition whose status stays the same. */
export function stamp(draft: Draft, earlier: readonly Condition[] | undefined, generation: number, now: string): Condition {
  const before = earlier?.find((condition) => condition.type === draft.type);
  const since = before?.status === draft.status ? before.lastTransitionTime : undefined;
  return { ...draft, observedGeneration: generation, lastTransitionTime: since ?? now };
}

function sameParent(one: ParentRef, other: ParentRef): boolean {
  return (
    JSON.stringify([one.group, one.kind, one.namespace, one.name, one.sectionName, one.port]) ===
    JSON.stringify([other.group, other.kind, other.namespace, other.name, other.sectionName, other.port])
  );
}

/**
 * `status.parents` of a route: ours written anew, those of other controllers kept. Gateways that do not exist are nobody's and get none.
 * `now` is RFC 3339 with seconds.
 */
export function routeParents(route: Route, kind: string, world: RouteWorld, now: string): readonly RouteParentStatus[] {
  const earlier = route.status?.parents ?? [];
  const generation = route.metadata.generation ?? 0;
  const others = earlier.filter((parent) => parent.controllerName !== controllerName);
  const backends = (route.spec.rules ?? []).flatMap((rule) => rule.backendRefs ?? []);
  const problem = backends.map((backend) => backendProblem(route, backend, world)).findLast((found) => found !== undefined);
  const ours = (route.spec.parentRefs ?? [])
    .filter((parent) => concernsUs(route, parent, world))
    .map((parent): RouteParentStatus => {
      const before = earlier.find((status) => status.controllerName === controllerName && sameParent(status.parentRef, parent));
      const drafts = [acceptance(route, kind, parent, world), problem ?? resolved];
      return { parentRef: parent, controllerName, conditions: drafts.map((draft) => stamp(draft, before?.conditions, generation, now)) };
    });
  return [...others, ...ours];
}

/** True when two lists of parents say the same, transition times aside. */
export function sameParents(one: readonly RouteParentStatus[], other: readonly RouteParentStatus[]): boolean {
  const plain = (parents: readonly RouteParentStatus[]): string =>
    JSON.stringify(
      parents.map((parent) => [
        parent.parentRef,
        parent.controllerName,
        parent.conditions.map((c) => [c.type, c.status, c.reason, c.message, c.observedGeneration]),
      ]),
    );
  return plain(one) === plain(other);
}
