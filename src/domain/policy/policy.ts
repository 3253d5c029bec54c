/**
 * A policy that Cilium (or the API server) accepts, in the form in which it is decided: plain data, one rule per entry of an ingress
 * or egress section, with selectors scoped and numbers parsed. What the author wrote is in the document; this is what it means.
 */
export interface Policy {
  readonly kind: PolicyKind;
  /** Empty for cluster-wide policies. */
  readonly namespace: string;
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}

export const POLICY_KINDS = ['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy', 'NetworkPolicy'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

export const DIRECTIONS = ['egress', 'ingress'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface PolicyRule {
  /** Where it is written: `spec.ingress[0]`, `specs[1].egressDeny[2]`, `spec.policyTypes` for a Kubernetes default deny. */
  readonly path: string;
  readonly direction: Direction;
  readonly verdict: 'allow' | 'deny';
  /** Whether it puts its subjects under default deny in this direction. */
  readonly defaultDeny: boolean;
  readonly subject: Subject;
  readonly peers: Peers;
  /** null = every port and protocol, ICMP too. An empty list matches nothing. */
  readonly ports: readonly PortMatch[] | null;
  /** Both ends must prove who they are first; whether they do cannot be seen here. */
  readonly authenticated?: true;
}

export interface Subject {
  /** A policy for nodes (host firewall): it never selects a pod. */
  readonly node: boolean;
  readonly requirements: readonly Requirement[];
}

/** One condition on the labels of an identity. Source `any` matches whatever the label's source is. */
export interface Requirement {
  readonly source: string;
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** Whom a rule speaks of. No selector and no service at all means everybody, where the rule has ports; else nobody. */
export interface Peers {
  readonly selectors: readonly PeerSelector[];
  /** Services to be resolved where the rule is put in force (egress allow rules only). */
  readonly services: readonly ServiceReference[];
  /** Members written as `[]`: each of them makes the rule speak of nobody, unless resolved services fill it. */
  readonly emptyMembers: readonly ('endpoints' | 'cidrSet' | 'other')[];
}

export type PeerSelector =
  | { readonly kind: 'labels'; readonly requirements: readonly Requirement[] }
  | { readonly kind: 'cidr'; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: 'fqdn'; readonly matchName: string; readonly matchPattern: string }
  /** Legal, but what it selects lies outside of the documents (CIDR groups, cloud groups): matches nobody here. */
  | { readonly kind: 'unknown'; readonly what: string };

export type ServiceReference =
  | { readonly kind: 'name'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'selector'; readonly namespace: string; readonly requirements: readonly Requirement[] };

export interface PortMatch {
  /** `ANY` = TCP, UDP and SCTP. For ICMP and ICMPV6 the port is the type. Others (VRRP, GRE …) are legal and match no flow here. */
  readonly protocol: string;
  /** A number (0 = all), or the name of a container port in lower case. */
  readonly port: number | string;
  /** Last port of a range; not above `port` = no range. */
  readonly endPort: number;
  readonly l7: L7Match | null;
  /** What else must hold, and cannot be seen here: the name in a TLS handshake, what a listener of one's own does, a header's secret value. */
  readonly condition?: 'serverNames' | 'listener' | 'secret';
}

export type L7Match =
  | { readonly kind: 'http'; readonly rules: readonly HttpRule[] }
  | { readonly kind: 'dns'; readonly rules: readonly DnsRule[] };

/** Empty strings mean: not written. */
export interface HttpRule {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** value null = the header must only be there. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

export interface DnsRule {
  readonly matchName: string;
  readonly matchPattern: string;
}

/** `namespace/name`, or `name` for a cluster-wide policy. */
export function policyId(policy: Pick<Policy, 'namespace' | 'name'>): string {
  return policy.namespace === '' ? policy.name : `${policy.namespace}/${policy.name}`;
}

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  /** `decode`: the JSON does not fit the type; `sanitize`: it does, and the engine still rejects it. `policy` = `namespace/name`. */
  | { readonly ok: false; readonly policy: string; readonly stage: 'decode' | 'sanitize'; readonly error: string };
