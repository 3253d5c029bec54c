import type { EgressDocument, HttpDocument, IcmpDocument, PortRuleDocument } from './document.ts';
import { ICMP_TYPES } from './icmp.ts';
import type { HttpRule, L7Match, PortMatch } from './policy.ts';
import { isPortName, parsePortNumber } from './port.ts';

export type Traffic = Pick<EgressDocument, 'toPorts' | 'icmps'>;

/** What a rule says of ports; null = it says nothing. `toPorts: [{}]` says something, and matches nothing. */
export function trafficPorts({ toPorts = [], icmps = [] }: Traffic, verdict: 'allow' | 'deny'): PortMatch[] | null {
  if (toPorts.length + icmps.length === 0) return null;
  return [
    ...toPorts.flatMap((rule) => {
      const l7 = verdict === 'allow' ? l7Of(rule) : null;
      const condition = verdict === 'allow' ? conditionOf(rule) : undefined;
      return rule.ports.map(({ port, endPort, protocol }) => ({
        ...portMatch(port, endPort, protocol.toUpperCase() || 'ANY', l7),
        ...(condition && { condition }),
      }));
    }),
    ...icmps.flatMap(({ fields }) => fields.map(icmpMatch)),
  ];
}

export function portMatch(port: string, endPort: number, protocol: string, l7: L7Match | null): PortMatch {
  return {
    protocol,
    port: isPortName(port) ? port.toLowerCase() : (parsePortNumber(port) ?? 0),
    // Kept in 16 bits, as the engine keeps it.
    endPort: endPort & 0xffff,
    l7,
  };
}

function conditionOf({ serverNames, listener, rules }: PortRuleDocument): PortMatch['condition'] {
  if (serverNames.length > 0) return 'serverNames';
  if (listener) return 'listener';
  const hasSecret = rules?.http?.some(({ headerMatches }) => headerMatches.some(({ mismatch, secret }) => mismatch === '' && secret));
  return hasSecret ? 'secret' : undefined;
}

function l7Of({ rules }: PortRuleDocument): L7Match | null {
  if (rules?.http?.length) return { kind: 'http', rules: rules.http.map(httpRule) };
  if (rules?.dns?.length) return { kind: 'dns', rules: rules.dns };
  return null;
}

/** Header matches that act on a mismatch (LOG, ADD, DELETE, REPLACE) never refuse a request. */
function httpRule({ method, path, host, headers, headerMatches }: HttpDocument): HttpRule {
  const wanted = headerMatches
    .filter(({ mismatch }) => mismatch === '')
    // A value that lies in a Secret cannot be seen from here: the header must be there.
    .map(({ name, value }) => ({ name, value: value === '' ? null : value }));
  return { method, path, host, headers: [...headers.map(headerRule), ...wanted] };
}

/** `Name: value` is a value to be equal, `Name` one to be there. Without the space, the colon is part of the name. */
function headerRule(text: string): HttpRule['headers'][number] {
  const space = text.indexOf(' ');
  if (space < 0) return { name: text, value: null };
  const value = text.slice(space + 1);
  return { name: text.slice(0, space).replace(/:+$/, ''), value: value === '' ? null : value };
}

/** The type takes the place of the port; 0, and what is no number, is every type. */
function icmpMatch({ family, type }: IcmpDocument): PortMatch {
  const isV6 = family === 'IPv6';
  const code = ICMP_TYPES[isV6 ? 'IPv6' : 'IPv4'][String(type)] ?? parsePortNumber(String(type)) ?? 0;
  return { protocol: isV6 ? 'ICMPV6' : 'ICMP', port: code, endPort: 0, l7: null };
}
