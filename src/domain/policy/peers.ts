import type { CidrRuleDocument, EgressDocument, IngressDocument, SelectorDocument } from './document.ts';
import { ENTITIES } from './entities.ts';
import type { PeerSelector, Peers, ServiceReference } from './policy.ts';
import {
  CLUSTER_LABEL,
  NAMESPACE_LABEL,
  NAMESPACE_LABELS_PREFIX,
  requirementsOf,
  type Selector,
  selectorKeys,
  withExpression,
  withLabel,
  withSources,
} from './selector.ts';

interface PeerScope {
  /** Empty for cluster-wide policies. */
  readonly namespace: string;
  readonly clusterName: string;
  /** The policy's own selector speaks of `reserved:init`. */
  readonly selectsInit: boolean;
}

/**
 * A peer selector of a policy stands for peers of the policy's own namespace and cluster, unless one of its keys speaks of that; a
 * `reserved:` key lifts both (cilium v1.20.2, pkg/k8s/apis/cilium.io/utils).
 */
function scopedSelector(selector: Selector, { namespace, clusterName, selectsInit }: PeerScope): Selector {
  const keys = selectorKeys(selector);
  if (keys.some((key) => key.startsWith('reserved:'))) return selector;
  const speaksOf = (label: string) => keys.includes(`k8s:${label}`) || keys.includes(`any:${label}`);
  const speaksOfNamespaceLabels = keys.some((key) =>
    ['k8s', 'any'].some((source) => key.startsWith(`${source}:${NAMESPACE_LABELS_PREFIX}`)),
  );
  let scoped = selector;
  if (!speaksOf(NAMESPACE_LABEL)) {
    if (namespace === '') scoped = selectsInit ? scoped : withExpression(scoped, `k8s:${NAMESPACE_LABEL}`, 'Exists');
    else if (!speaksOfNamespaceLabels) scoped = withLabel(scoped, `k8s:${NAMESPACE_LABEL}`, namespace);
  }
  return speaksOf(CLUSTER_LABEL) ? scoped : withLabel(scoped, `k8s:${CLUSTER_LABEL}`, clusterName);
}

export function ingressPeers(rule: IngressDocument, scope: PeerScope): Peers {
  const { fromEndpoints, fromCIDR, fromCIDRSet, fromEntities, fromNodes, fromGroups } = rule;
  return peersOf(
    { endpoints: fromEndpoints, cidr: fromCIDR, cidrSet: fromCIDRSet, entities: fromEntities, nodes: fromNodes, groups: fromGroups },
    scope,
  );
}

/** The engine resolves services in allow rules only: in a deny rule they count as not written. */
export function egressPeers(rule: EgressDocument, scope: PeerScope, verdict: 'allow' | 'deny'): Peers {
  const { toEndpoints, toCIDR, toCIDRSet, toEntities, toNodes, toGroups, toFQDNs, toServices } = rule;
  const peers = peersOf(
    { endpoints: toEndpoints, cidr: toCIDR, cidrSet: toCIDRSet, entities: toEntities, nodes: toNodes, groups: toGroups },
    scope,
  );
  if (verdict === 'deny') return peers;
  const names = (toFQDNs ?? []).map((fqdn): PeerSelector => ({ kind: 'fqdn', ...fqdn }));
  return { ...peers, selectors: [...peers.selectors, ...names], services: (toServices ?? []).flatMap(serviceReference) };
}

interface Members {
  readonly endpoints: readonly SelectorDocument[] | undefined;
  readonly cidr: readonly string[] | undefined;
  readonly cidrSet: readonly CidrRuleDocument[] | undefined;
  readonly entities: readonly string[] | undefined;
  readonly nodes: readonly SelectorDocument[] | undefined;
  readonly groups: readonly unknown[] | undefined;
}

function peersOf({ endpoints, cidr, cidrSet, entities, nodes, groups }: Members, scope: PeerScope): Peers {
  const isEmpty = (member: readonly unknown[] | undefined) => member?.length === 0;
  const emptyMembers: Peers['emptyMembers'] = [
    ...(isEmpty(endpoints) ? (['endpoints'] as const) : []),
    ...(isEmpty(cidrSet) ? (['cidrSet'] as const) : []),
    ...([cidr, entities, nodes].some(isEmpty) ? (['other'] as const) : []),
  ];
  const selectors: PeerSelector[] = [
    ...(endpoints ?? []).map(
      (one): PeerSelector => ({ kind: 'labels', requirements: requirementsOf(scopedSelector(withSources(one), scope)) }),
    ),
    ...(entities ?? []).flatMap((entity) =>
      (ENTITIES[entity] ?? []).map((alternative): PeerSelector => ({ kind: 'labels', requirements: alternative(scope.clusterName) })),
    ),
    ...(cidr ?? []).map((one): PeerSelector => ({ kind: 'cidr', cidr: one, except: [] })),
    ...(cidrSet ?? []).map(
      (one): PeerSelector =>
        one.cidr === '' ? { kind: 'unknown', what: 'CIDR group' } : { kind: 'cidr', cidr: one.cidr, except: one.except ?? [] },
    ),
    ...(groups ?? []).map((): PeerSelector => ({ kind: 'unknown', what: 'cloud group' })),
  ];
  return { selectors, services: [], emptyMembers };
}

function serviceReference(written: NonNullable<EgressDocument['toServices']>[number]): ServiceReference[] {
  const { k8sServiceSelector, k8sService } = written;
  if (k8sServiceSelector) {
    const selector = withSources(k8sServiceSelector.selector ?? { matchLabels: {}, matchExpressions: [] });
    return [{ kind: 'selector', namespace: k8sServiceSelector.namespace, requirements: requirementsOf(selector) }];
  }
  return k8sService ? [{ kind: 'name', namespace: k8sService.namespace, name: k8sService.serviceName }] : [];
}
