// What the evaluator cannot know from a record: where a rule depends on it, a denial would be a guess.
import type { PolicyFlow, PolicyPeer } from '../flow.ts';
import type { Direction, Policy, PolicyRule } from '../policy.ts';
import { compilePort, PROTOCOL_BITS } from '../rules.ts';
import type { UnknownReason } from './flow.ts';

/** Says why a denial under these policies is not certain for a flow, or undefined. */
export type DenialDoubt = (flow: PolicyFlow, direction: Direction) => UnknownReason | undefined;

/**
 * Looks at the policies that may select in `namespace`. Names matter for addresses outside, port names where the pod is not known,
 * groups of addresses for the world, services for everybody.
 *
 * @param learnsNames whether the source's DNS passes the proxy at all: without it a rule by name matches nothing, for certain
 */
export function denialDoubt(
  policies: readonly Policy[],
  namespace: string,
  servicesKnown: boolean,
  learnsNames: (source: PolicyPeer) => boolean = () => true,
): DenialDoubt {
  const rules = policies
    .filter((policy) => namespace === '' || policy.namespace === '' || policy.namespace === namespace)
    .flatMap((policy) => policy.rules)
    .filter(({ verdict }) => verdict === 'allow');
  const reachOf = (direction: Direction, kind: 'fqdn' | 'unknown') =>
    anyReach(rules.filter((rule) => rule.direction === direction && rule.peers.selectors.some((selector) => selector.kind === kind)));
  const namesPort = (direction: Direction) =>
    rules.some((rule) => rule.direction === direction && rule.ports?.some(({ port }) => typeof port === 'string'));
  const facts = {
    egress: { names: reachOf('egress', 'fqdn'), groups: reachOf('egress', 'unknown'), ports: namesPort('egress') },
    ingress: { names: () => false, groups: reachOf('ingress', 'unknown'), ports: namesPort('ingress') },
  };
  const services = anyReach(servicesKnown ? [] : rules.filter(({ peers }) => peers.services.length > 0));
  return (flow, direction) => {
    const { source, destination } = flow;
    const other = direction === 'ingress' ? source : destination;
    const isWorld = other.labels.some((label) => label.startsWith('reserved:world'));
    const { names, groups, ports } = facts[direction];
    if (isWorld && names(flow) && (other.fqdns ?? []).length === 0 && learnsNames(source)) return 'name';
    if (isWorld && groups(flow)) return 'selector';
    if (direction === 'egress' && services(flow)) return 'selector';
    // Container ports are those of pods; the world has none, and a rule that names one never speaks of it.
    if (ports && destination.namedPorts === undefined && destination.labels.some((label) => label.startsWith('k8s:'))) return 'namedPort';
    return undefined;
  };
}

/** Whether one of these rules may speak of a flow by its port: one that does not lets it through to nobody, whatever its peers are. */
function anyReach(rules: readonly PolicyRule[]): (flow: PolicyFlow) => boolean {
  const ports = rules.flatMap((rule) => rule.ports?.map(compilePort) ?? [undefined]);
  return ({ protocol, destinationPort, icmpType }) => {
    const [bit, port] = [PROTOCOL_BITS[protocol], destinationPort ?? icmpType ?? 0];
    return ports.some((one) => !one || ((one.protocols & bit) !== 0 && (one.name !== undefined || (one.from <= port && port <= one.to))));
  };
}
