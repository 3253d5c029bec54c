import * as z from 'zod';
import { CiliumDocument, decodeError, type EgressDocument, type IngressDocument, Metadata, type RuleDocument } from './document.ts';
import { parseKubernetesPolicy } from './kubernetes.ts';
import { egressPeers, ingressPeers } from './peers.ts';
import { type ParsedPolicy, POLICY_KINDS, type PolicyKind, type PolicyRule, policyId, type Subject } from './policy.ts';
import { type Traffic, trafficPorts } from './ports.ts';
import { NAMESPACE_LABEL, requirementsOf, selectorKeys, withLabel, withSources } from './selector.ts';
import { ruleError } from './validity.ts';

interface ParseContext {
  /** Cilium's `cluster-name`: peers are limited to it unless a selector names a cluster. */
  readonly clusterName?: string;
}

const Kind = z.looseObject({ kind: z.enum(POLICY_KINDS), metadata: z.unknown() });

/**
 * A CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy or NetworkPolicy as its engine reads it. What the engine rejects has no effect
 * at all: no part of such a policy is in force.
 */
export function parsePolicy(object: unknown, { clusterName = 'default' }: ParseContext = {}): ParsedPolicy {
  const known = Kind.safeParse(object);
  if (!known.success) return { ok: false, policy: '', stage: 'decode', error: decodeError(known.error) };
  const { kind } = known.data;
  const metadata = Metadata.safeParse(known.data.metadata);
  const policy = metadata.success
    ? policyId(kind === 'CiliumClusterwideNetworkPolicy' ? { ...metadata.data, namespace: '' } : metadata.data)
    : '';
  const failed = (stage: 'decode' | 'sanitize', error: string): ParsedPolicy => ({ ok: false, policy, stage, error });
  if (kind === 'NetworkPolicy') return parseKubernetesPolicy(object, clusterName, failed);
  const decoded = CiliumDocument.safeParse(object);
  if (!decoded.success) return failed('decode', decodeError(decoded.error));
  const { name, namespace } = decoded.data.metadata;
  if (name === '') return failed('sanitize', `${kind} must have name`);
  // The engine takes a CiliumNetworkPolicy without namespace for a cluster-wide one.
  const scope = kind === 'CiliumNetworkPolicy' ? namespace : '';
  const effective: PolicyKind = scope === '' ? 'CiliumClusterwideNetworkPolicy' : kind;
  const { spec, specs } = decoded.data;
  if (!spec && !specs) return failed('sanitize', `Invalid ${effective} spec(s): empty policy`);
  const written = [
    ...(spec ? [{ rule: spec, path: 'spec' }] : []),
    ...(specs ?? []).map((rule, index) => ({ rule, path: `specs[${index}]` })),
  ];
  for (const { rule, path } of written) {
    const error = ruleError(rule) ?? (rule.nodeSelector && scope !== '' ? 'rule cannot have NodeSelector' : undefined);
    if (error !== undefined) return failed('sanitize', `Invalid ${effective} ${path}: ${error}`);
  }
  const rules = written.flatMap(({ rule, path }) => rulesOf(rule, path, { namespace: scope, clusterName }));
  return { ok: true, policy: { kind, namespace: scope, name, rules } };
}

interface Scope {
  readonly namespace: string;
  readonly clusterName: string;
}

function rulesOf(rule: RuleDocument, path: string, { namespace, clusterName }: Scope): PolicyRule[] {
  const subject = subjectOf(rule, namespace);
  const selectsInit = rule.endpointSelector !== undefined && selectorKeys(withSources(rule.endpointSelector)).includes('reserved:init');
  const scope = { namespace, clusterName, selectsInit };
  const { ingress = [], ingressDeny = [], egress = [], egressDeny = [], enableDefaultDeny } = rule;
  const closesIngress = enableDefaultDeny?.ingress ?? true;
  const closesEgress = enableDefaultDeny?.egress ?? true;
  const make = (
    section: string,
    items: readonly (IngressDocument | EgressDocument)[],
    rest: (item: never) => Pick<PolicyRule, 'direction' | 'verdict' | 'defaultDeny' | 'peers'>,
  ): PolicyRule[] =>
    items.map((item, index) => {
      const made = rest(item as never);
      const isAuthenticated = made.verdict === 'allow' && !['', 'disabled'].includes(item.authentication?.mode ?? '');
      const ports = trafficPorts(item as Traffic, made.verdict);
      return { path: `${path}.${section}[${index}]`, subject, ports, ...made, ...(isAuthenticated && { authenticated: true as const }) };
    });
  const inward = (verdict: 'allow' | 'deny') => (item: IngressDocument) =>
    ({ direction: 'ingress', verdict, defaultDeny: closesIngress, peers: ingressPeers(item, scope) }) as const;
  const outward = (verdict: 'allow' | 'deny') => (item: EgressDocument) =>
    ({ direction: 'egress', verdict, defaultDeny: closesEgress, peers: egressPeers(item, scope, verdict) }) as const;
  return [
    ...make('ingress', ingress, inward('allow')),
    ...make('ingressDeny', ingressDeny, inward('deny')),
    ...make('egress', egress, outward('allow')),
    ...make('egressDeny', egressDeny, outward('deny')),
  ];
}

/** A namespaced policy selects in its namespace whatever its `matchLabels` say; an expression on the namespace stays beside it. */
function subjectOf({ endpointSelector, nodeSelector }: RuleDocument, namespace: string): Subject {
  const selector = withSources(endpointSelector ?? nodeSelector ?? { matchLabels: {}, matchExpressions: [] });
  const scoped = namespace === '' ? selector : withLabel(selector, `k8s:${NAMESPACE_LABEL}`, namespace);
  return { node: nodeSelector !== undefined, requirements: requirementsOf(scoped) };
}
