/** The status that Cilium's operator writes on GatewayClasses and Gateways. */
import type { Condition, Gateway, GatewayClass, Route } from '../kube/types.ts';
import { attach, isRefusal, namesGateway } from './attach.ts';
import { stamp } from './status.ts';

type Draft = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

const yes = (type: string, message: string): Draft => ({ type, status: 'True', reason: type, message });

/** Conditions of a GatewayClass of ours. */
export function classConditions(gatewayClass: GatewayClass, now: string): readonly Condition[] {
  return [stamp(yes('Accepted', 'Valid GatewayClass'), gatewayClass.status?.conditions, gatewayClass.metadata.generation ?? 0, now)];
}

export interface KindedRoute {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly route: Route;
}

/** How many routes each listener takes, by listener name. */
function attachedCounts(
  gateway: Gateway,
  routes: readonly KindedRoute[],
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, route } of routes) {
    const names = new Set<string>();
    for (const parent of route.spec.parentRefs ?? []) {
      const namespace = parent.namespace ?? route.metadata.namespace;
      if (!namesGateway(parent) || parent.name !== gateway.metadata.name || namespace !== gateway.metadata.namespace) continue;
      const result = attach(route, kind, parent, gateway, namespaceLabels(route.metadata.namespace ?? ''));
      if (!isRefusal(result)) for (const listener of result) names.add(listener.name);
    }
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The whole status of a Gateway of ours. `programmed` = Envoy listens for it. */
export function gatewayStatus(
  gateway: Gateway,
  routes: readonly KindedRoute[],
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>>,
  options: { readonly address: string; readonly programmed: boolean; readonly now: string },
): object {
  const generation = gateway.metadata.generation ?? 0;
  const before = gateway.status as
    | {
        readonly conditions?: readonly Condition[];
        readonly listeners?: readonly { readonly name: string; readonly conditions?: readonly Condition[] }[];
      }
    | undefined;
  const programmed: Draft = options.programmed
    ? yes('Programmed', 'Gateway successfully reconciled')
    : { type: 'Programmed', status: 'False', reason: 'Pending', message: 'Address is not ready yet' };
  const counts = attachedCounts(gateway, routes, namespaceLabels);
  const listeners = gateway.spec.listeners.map((listener) => {
    const earlier = before?.listeners?.find((each) => each.name === listener.name)?.conditions;
    const drafts: readonly Draft[] = [
      yes('Accepted', 'Listener Accepted'),
      programmed,
      yes('ResolvedRefs', 'Resolved Refs'),
      { type: 'Conflicted', status: 'False', reason: 'NoConflicts', message: 'No conflicts' },
    ];
    return {
      name: listener.name,
      attachedRoutes: counts.get(listener.name) ?? 0,
      supportedKinds: ['HTTPRoute', 'GRPCRoute'].map((kind) => ({ group: 'gateway.networking.k8s.io', kind })),
      conditions: drafts.map((draft) => stamp(draft, earlier, generation, options.now)),
    };
  });
  const drafts = [yes('Accepted', 'Gateway successfully scheduled'), programmed];
  return {
    addresses: options.programmed ? [{ type: 'IPAddress', value: options.address }] : [],
    conditions: drafts.map((draft) => stamp(draft, before?.conditions, generation, options.now)),
    listeners,
  };
}
