import { parseAddress } from './cidr.ts';
import type { CompileWorld, PolicyService } from './flow.ts';
import type { PeerSelector, Peers, Requirement, ServiceReference } from './policy.ts';
import { CLUSTER_LABEL, NAMESPACE_LABEL, requirement } from './selector.ts';

/** A service with a selector stands for the pods it selects, one without for its addresses; one that is not there for nothing. */
export function resolveServices(peers: Peers, { services = [], clusterName = 'default' }: CompileWorld): Peers {
  if (peers.services.length === 0) return peers;
  const found = peers.services.flatMap((reference) => services.filter((service) => refersTo(reference, service)));
  const pods = found.flatMap(({ selector = {}, namespace }) => {
    const keys = Object.entries(selector).map(([key, value]) => requirement(`k8s:${key}`, 'In', [value]));
    return keys.length > 0 ? [podsOf(keys, namespace, clusterName)] : [];
  });
  const addresses = found
    .filter(({ selector = {} }) => Object.keys(selector).length === 0)
    .flatMap(({ backends = [] }) => backends)
    .flatMap((address): PeerSelector[] => (parseAddress(address) ? [{ kind: 'cidr', cidr: address, except: [] }] : []));
  const filled: string[] = [...(pods.length > 0 ? ['endpoints'] : []), ...(addresses.length > 0 ? ['cidrSet'] : [])];
  return {
    selectors: [...peers.selectors, ...pods, ...addresses],
    services: [],
    emptyMembers: peers.emptyMembers.filter((member) => !filled.includes(member)),
  };
}

function podsOf(keys: readonly Requirement[], namespace: string, clusterName: string): PeerSelector {
  const others = keys.filter(({ key }) => key !== NAMESPACE_LABEL);
  const cluster = keys.some(({ key }) => key === CLUSTER_LABEL) ? [] : [requirement(`k8s:${CLUSTER_LABEL}`, 'In', [clusterName])];
  return { kind: 'labels', requirements: [...others, requirement(`k8s:${NAMESPACE_LABEL}`, 'In', [namespace]), ...cluster] };
}

/** A reference without a namespace means services of every namespace. */
function refersTo(reference: ServiceReference, { namespace, name, labels = {} }: PolicyService): boolean {
  if (reference.namespace !== '' && reference.namespace !== namespace) return false;
  if (reference.kind === 'name') return reference.name === name;
  return reference.requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'Exists' || operator === 'DoesNotExist') return (value !== undefined) === (operator === 'Exists');
    return (value !== undefined && values.includes(value)) === (operator === 'In');
  });
}
