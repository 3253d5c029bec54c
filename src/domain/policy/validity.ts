import { dnsNameError, dnsPatternError } from './dns-pattern.ts';
import type { EgressDocument, HttpDocument, IngressDocument, PortRuleDocument, RuleDocument } from './document.ts';
import { isPortName, parsePortNumber } from './port.ts';
import { regexError } from './regex.ts';
import { selectorError } from './selector.ts';
import { combinationError, type Found, first, peerError } from './validity-peers.ts';

/**
 * What the engine accepts beyond the types (cilium v1.20.2, pkg/policy/api/rule_validation.go, with the flags of a default
 * installation). About half of what is refused here passes the CRD's schema.
 */
const MOST_PORTS = 40;
const PROTOCOLS: readonly string[] = ['ANY', 'TCP', 'UDP', 'SCTP', 'VRRP', 'IGMP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH'];
const WITHOUT_PORTS: readonly string[] = ['VRRP', 'IGMP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH'];
const HEADER_ACTIONS: readonly string[] = ['', 'LOG', 'ADD', 'DELETE', 'REPLACE'];

/** First thing wrong with one rule (`spec`, or one of `specs`); undefined = the engine accepts it. */
export function ruleError(rule: RuleDocument): Found {
  const { endpointSelector, nodeSelector, ingress = [], ingressDeny = [], egress = [], egressDeny = [] } = rule;
  if (ingress.length + ingressDeny.length + egress.length + egressDeny.length === 0) {
    return 'rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny';
  }
  if (!endpointSelector && !nodeSelector) return 'rule must have one of EndpointSelector or NodeSelector';
  if (endpointSelector && nodeSelector) return 'rule cannot have both EndpointSelector and NodeSelector';
  const onNode = nodeSelector !== undefined;
  return (
    first([endpointSelector, nodeSelector], (selector) => (selector ? selectorError(selector) : undefined)) ??
    first(ingress, (one) => ingressError(one, onNode)) ??
    first(ingressDeny, (one) => ingressPeerError(one) ?? trafficError(one, true)) ??
    first(egress, (one) => egressError(one, onNode)) ??
    first(egressDeny, (one) => egressPeerError({ ...one, toFQDNs: undefined }) ?? trafficError(one, true))
  );
}

function ingressError(rule: IngressDocument, onNode: boolean): Found {
  const error = ingressPeerError(rule);
  if (error !== undefined) return error;
  if (onNode && rule.toPorts?.some(hasL7)) return 'L7 policy is not supported on host ingress yet';
  if (rule.toPorts?.some(({ rules }) => rules?.dns?.length)) return 'L7 protocol DNS is not supported on ingress yet';
  return trafficError(rule, false, true);
}

function egressError(rule: EgressDocument, onNode: boolean): Found {
  const error = egressPeerError(rule);
  if (error !== undefined) return error;
  if (onNode && rule.toPorts?.some(({ rules }) => rules?.http?.length)) return 'L7 protocol HTTP is not supported on host egress yet';
  return trafficError(rule, false) ?? first(rule.toFQDNs ?? [], fqdnError);
}

function fqdnError({ matchName, matchPattern }: { readonly matchName: string; readonly matchPattern: string }): Found {
  if (matchName !== '' && matchPattern !== '') return 'only one of MatchName or MatchPattern is allowed in an FQDNSelector';
  return dnsNameError(matchName) ?? dnsPatternError(matchPattern);
}

function ingressPeerError(rule: IngressDocument): Found {
  const { fromEndpoints, fromCIDR, fromCIDRSet, fromEntities, fromNodes, fromGroups } = rule;
  return (
    combinationError({
      FromEndpoints: fromEndpoints,
      FromCIDR: fromCIDR,
      FromCIDRSet: fromCIDRSet,
      FromEntities: fromEntities,
      FromNodes: fromNodes,
      FromGroups: fromGroups,
    }) ?? peerError({ endpoints: fromEndpoints, nodes: fromNodes, cidr: fromCIDR, cidrSet: fromCIDRSet, entities: fromEntities })
  );
}

function egressPeerError(rule: EgressDocument): Found {
  const { toEndpoints, toCIDR, toCIDRSet, toEntities, toNodes, toGroups, toServices, toFQDNs } = rule;
  return (
    combinationError({
      ToCIDR: toCIDR,
      ToCIDRSet: toCIDRSet,
      ToEndpoints: toEndpoints,
      ToEntities: toEntities,
      ToFQDNs: toFQDNs,
      ToGroups: toGroups,
      ToNodes: toNodes,
      ToServices: toServices,
    }) ?? peerError({ endpoints: toEndpoints, nodes: toNodes, cidr: toCIDR, cidrSet: toCIDRSet, entities: toEntities })
  );
}

/** Ports and ICMP types. Deny rules have no layer 7: their `rules` are an unknown member. */
function trafficError({ toPorts = [], icmps = [] }: Pick<EgressDocument, 'toPorts' | 'icmps'>, deny: boolean, ingress = false): Found {
  if (icmps.length > 0 && toPorts.length > 0) {
    return 'the ICMPs block may only be present without ToPorts. Define a separate rule to use ToPorts';
  }
  return (
    first(toPorts, (one) => (deny ? portsError(one, false) : portRuleError(one, ingress))) ??
    first(icmps, ({ fields }) => {
      if (fields.length > MOST_PORTS) return `too many types, the max is ${MOST_PORTS}`;
      return first(fields, ({ family }) => (['', 'IPv4', 'IPv6'].includes(family) ? undefined : `wrong family: ${family}`));
    })
  );
}

function hasL7({ rules }: PortRuleDocument): boolean {
  return (rules?.http?.length ?? 0) + (rules?.dns?.length ?? 0) > 0;
}

function portRuleError(rule: PortRuleDocument, ingress: boolean): Found {
  const { rules, serverNames, listener, terminatingTLS, ports } = rule;
  const l7 = hasL7(rule);
  const dns = (rules?.dns?.length ?? 0) > 0;
  if (serverNames.length > 0 && l7 && !terminatingTLS) return 'ServerNames are not allowed with L7 rules without TLS termination';
  if (serverNames.includes('')) return 'empty server name is not allowed';
  const error = portsError(rule, dns, l7 && !dns);
  if (error !== undefined) return error;
  if (listener && ingress) return `Listener is not allowed on ingress (${listener.name})`;
  if (listener && l7) return `Listener is not allowed with L7 rules (${listener.name})`;
  if (!l7) return undefined;
  if (ports.some(({ port }) => !isPortName(port) && parsePortNumber(port) === 0)) return 'L7 rules can not be used when a port is 0';
  return l7Error(rule);
}

function portsError({ ports }: PortRuleDocument, dns: boolean, tcpOnly = false): Found {
  if (ports.length > MOST_PORTS) return `too many ports, the max is ${MOST_PORTS}`;
  return first(ports, ({ port, endPort, protocol }) => {
    const upper = protocol === '' ? 'ANY' : protocol.toUpperCase();
    if (port === '') return 'port must be specified';
    if (!isPortName(port)) {
      if (port !== '0' && WITHOUT_PORTS.includes(protocol)) return 'port must be empty or 0';
      const number = parsePortNumber(port);
      if (number === undefined) return `unable to parse port: "${port}"`;
      if (dns && endPort > number) return 'DNS rules do not support port ranges';
    }
    if (!PROTOCOLS.includes(upper)) return `invalid protocol "${upper}", must be one of ${PROTOCOLS.join(', ')}`;
    return tcpOnly && upper !== 'TCP' ? `L7 rules can only apply to TCP (not ${upper}) except for DNS rules` : undefined;
  });
}

function l7Error({ rules, ports }: PortRuleDocument): Found {
  const error = first(rules?.http ?? [], httpError);
  if (error !== undefined) return error;
  if (rules?.dns && ports.length === 0) return 'port 53 must be specified for DNS rules';
  return (
    first(rules?.dns ?? [], ({ matchName, matchPattern }) => dnsNameError(matchName) ?? dnsPatternError(matchPattern)) ??
    (rules?.http && rules.dns ? 'multiple L7 protocol rule types specified in single rule' : undefined)
  );
}

/** The host is not looked at: one that is no regular expression is accepted, and matches no request. */
function httpError({ path, method, headerMatches }: HttpDocument): Found {
  return (
    first([path, method], regexError) ??
    first(headerMatches, ({ name, mismatch, secret }) => {
      if (name === '') return 'Header name missing';
      if (!HEADER_ACTIONS.includes(mismatch)) return `Invalid header action: ${mismatch}`;
      return secret && secret.name === '' ? 'Secret name missing' : undefined;
    })
  );
}
