import { contains, type Prefix, parseAddress, parsePrefix } from './cidr.ts';
import { fqdnMatch, type NameMatch } from './dns-pattern.ts';
import type { CompileWorld, FlowProtocol, NamedPort } from './flow.ts';
import type { Identity, LabelSet } from './identity.ts';
import { compileL7, type L7 } from './l7.ts';
import type { PeerSelector, Peers, Policy, PolicyRule, PortMatch, Requirement } from './policy.ts';
import type { SelectorTable } from './selector-table.ts';
import { resolveServices } from './services.ts';

export const PROTOCOL_BITS: Readonly<Record<FlowProtocol, number>> = { TCP: 1, UDP: 2, SCTP: 4, ICMP: 8, ICMPV6: 16 };
const EVERY_PROTOCOL = 31;
const WITH_PORTS = 7;
const LAST_PORT = 0xffff;

/** A rule made ready to be asked many times. */
export interface CompiledRule {
  /** Place among all rules. */
  readonly order: number;
  readonly policy: Policy;
  readonly rule: PolicyRule;
  readonly isDeny: boolean;
  readonly subject: number;
  readonly peers: CompiledPeers;
  readonly ports: readonly CompiledPort[];
}

interface CompiledPeers {
  readonly everybody: boolean;
  /** Places in the selector table. */
  readonly labels: readonly number[];
  readonly cidrs: readonly { readonly prefix: Prefix; readonly except: readonly Prefix[] }[];
  readonly names: readonly NameMatch[];
}

interface CompiledPort {
  readonly protocols: number;
  readonly from: number;
  readonly to: number;
  /** A container port's name, to be looked up at the destination: then `from` does not count. */
  readonly name: string | undefined;
  readonly l7: L7 | null;
}

export function compileRule(policy: Policy, rule: PolicyRule, table: SelectorTable, world: CompileWorld): Omit<CompiledRule, 'order'> {
  return {
    policy,
    rule,
    isDeny: rule.verdict === 'deny',
    subject: table.place(rule.subject.requirements),
    peers: compilePeers(resolveServices(rule.peers, world), rule.ports !== null, table),
    ports: rule.ports?.map(compilePort) ?? [{ protocols: EVERY_PROTOCOL, from: 0, to: LAST_PORT, name: undefined, l7: null }],
  };
}

/** Nobody named means everybody where ports are named, and nobody where they are not. */
function compilePeers({ selectors, emptyMembers }: Peers, hasPorts: boolean, table: SelectorTable): CompiledPeers {
  const some = emptyMembers.length > 0 ? [] : selectors;
  const everyone: readonly Requirement[] | undefined = selectors.length === 0 && emptyMembers.length === 0 && hasPorts ? [] : undefined;
  const of = <K extends PeerSelector['kind']>(kind: K) =>
    some.filter((selector): selector is Extract<PeerSelector, { kind: K }> => selector.kind === kind);
  return {
    everybody: everyone !== undefined || of('labels').some(({ requirements }) => requirements.length === 0),
    labels: of('labels').map(({ requirements }) => table.place(requirements)),
    cidrs: of('cidr').flatMap(({ cidr, except }) => {
      const prefix = parsePrefix(cidr) ?? parseAddress(cidr);
      return prefix ? [{ prefix, except: except.flatMap((hole) => parsePrefix(hole) ?? []) }] : [];
    }),
    names: of('fqdn').map(({ matchName, matchPattern }) => fqdnMatch(matchName, matchPattern)),
  };
}

export function compilePort({ protocol, port, endPort, l7 }: PortMatch): CompiledPort {
  const protocols = protocol === 'ANY' ? WITH_PORTS : (PROTOCOL_BITS[protocol as FlowProtocol] ?? 0);
  const compiled = { protocols, l7: l7 && compileL7(l7) };
  if (typeof port === 'string') return { ...compiled, name: port, from: 0, to: endPort };
  // Port 0 is every port, a range or not.
  if (port === 0) return { ...compiled, name: undefined, from: 0, to: LAST_PORT };
  return { ...compiled, name: undefined, from: port, to: Math.max(port, endPort) };
}

/**
 * Whether a rule's port covers a flow's. A name stands for a port of the destination: of the subject itself on ingress, where a range may
 * begin at it, and of the peer on egress, where it may not.
 */
export function covers(port: CompiledPort, bit: number, number: number, named: readonly NamedPort[], isIngress: boolean): boolean {
  if ((port.protocols & bit) === 0) return false;
  if (port.name === undefined) return number >= port.from && number <= port.to;
  for (const { name, port: from, protocol } of named) {
    if (name !== port.name || PROTOCOL_BITS[protocol as FlowProtocol] !== bit) continue;
    if (number === from || (isIngress && number > from && number <= port.to)) return true;
  }
  return false;
}

/** Whether the port is this one alone: the DNS proxy looks at no other rules. */
export function isExact({ name, from, to }: CompiledPort): boolean {
  return name !== undefined || from === to;
}

export function matchesPeer(peers: CompiledPeers, identity: Identity, table: SelectorTable): boolean {
  if (peers.everybody) return true;
  for (const place of peers.labels) if (table.matches(place, identity.labels)) return true;
  const { address, names } = identity;
  if (address && peers.cidrs.some(({ prefix, except }) => contains(prefix, address) && !except.some((hole) => contains(hole, address))))
    return true;
  return names.length > 0 && peers.names.some((matches) => names.some(matches));
}

/** Rules that select an endpoint, by direction. */
export interface SubjectRules {
  readonly egress: DirectionRules;
  readonly ingress: DirectionRules;
}

export interface DirectionRules {
  readonly rules: readonly CompiledRule[];
  readonly selected: boolean;
  readonly enforced: boolean;
}

/** An endpoint that has no labels yet (init) is always under default deny. */
export function directionRules(rules: readonly CompiledRule[], labels: LabelSet): DirectionRules {
  return {
    rules,
    selected: rules.length > 0 || labels.isInit,
    enforced: labels.isInit || rules.some(({ rule }) => rule.defaultDeny),
  };
}
