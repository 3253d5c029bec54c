// What the evaluator cannot know from a record: where a rule depends on it, a denial would be a guess.
import type { PolicyFlow } from '../flow.ts';
import type { Direction, Policy } from '../policy.ts';
import type { UnknownReason } from './flow.ts';

/** Says why a denial under these policies is not certain for a flow, or undefined. */
export type DenialDoubt = (flow: PolicyFlow, direction: Direction) => UnknownReason | undefined;

/**
 * Looks at the policies that may select in `namespace`. Names matter for addresses outside, port names where the pod is not known,
 * groups of addresses for the world, services for everybody.
 */
export function denialDoubt(policies: readonly Policy[], namespace: string, servicesKnown: boolean): DenialDoubt {
  const rules = policies
    .filter((policy) => policy.namespace === '' || policy.namespace === namespace)
    .flatMap((policy) => policy.rules)
    .filter(({ verdict }) => verdict === 'allow');
  const has = (direction: Direction, kind: 'fqdn' | 'unknown') =>
    rules.some((rule) => rule.direction === direction && rule.peers.selectors.some((selector) => selector.kind === kind));
  const namesPort = (direction: Direction) =>
    rules.some((rule) => rule.direction === direction && rule.ports?.some(({ port }) => typeof port === 'string'));
  const facts = {
    egress: { names: has('egress', 'fqdn'), groups: has('egress', 'unknown'), ports: namesPort('egress') },
    ingress: { names: false, groups: has('ingress', 'unknown'), ports: namesPort('ingress') },
  };
  const services = !servicesKnown && rules.some(({ peers }) => peers.services.length > 0);
  return ({ source, destination }, direction) => {
    const other = direction === 'ingress' ? source : destination;
    const isWorld = other.labels.some((label) => label.startsWith('reserved:world'));
    const { names, groups, ports } = facts[direction];
    if (isWorld && names && (other.fqdns ?? []).length === 0) return 'name';
    if (isWorld && groups) return 'selector';
    if (services && direction === 'egress') return 'selector';
    // Container ports are those of pods; the world has none, and a rule that names one never speaks of it.
    if (ports && destination.namedPorts === undefined && destination.labels.some((label) => label.startsWith('k8s:'))) return 'namedPort';
    return undefined;
  };
}
