/** Who may connect to whom: a connection is decided before it is made, once at each end that is a pod, by the rules in force on that pod's node. */
import type { DirectionDecision, Reason } from '../../../src/domain/policy/decision.ts';
import type { DnsQuery, HttpRequest, PolicyFlow } from '../../../src/domain/policy/flow.ts';
import type { PolicyRef } from '../flows/flow.ts';
import { type MatchType, matchTypes, type NamedRule, type RuleBook } from '../policy/rule-book.ts';
import { type Party, peerOf } from './party.ts';

/** One attempt to connect, or a datagram. */
export interface Connection {
  readonly source: Party;
  readonly destination: Party;
  readonly sourcePort: number;
  /** The port at the destination, after the Service was translated. */
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** What a proxy would see in the connection. */
export interface Request {
  readonly http?: HttpRequest;
  readonly dns?: DnsQuery;
}

/** Drop reasons with Cilium's numbers (flow.DropReason). */
export const dropReasons = { POLICY_DENIED: 133, POLICY_DENY: 181, AUTH_REQUIRED: 189, UNENCRYPTED_TRAFFIC: 195 } as const;
export type DropReason = keyof typeof dropReasons;

/** What one end's policy says of the connection. */
export interface Side {
  /** Some policy selects the pod in this direction: only then its agent tells what was decided. */
  readonly isSelected: boolean;
  readonly verdict: 'FORWARDED' | 'REDIRECTED' | 'DROPPED';
  /** Only with DROPPED. */
  readonly reason?: DropReason;
  readonly match: MatchType;
  readonly allowedBy: readonly PolicyRef[];
  /** Only for explicit deny rules: a default deny has no policy to blame. */
  readonly deniedBy: readonly PolicyRef[];
  /** spec.log.value of the policies that allow; never filled on drops (cilium/cilium #42044). */
  readonly log: readonly string[];
  /** With REDIRECTED: the proxy it goes through, and whether that lets the request pass. */
  readonly proxy?: { readonly kind: 'http' | 'dns'; readonly permits: boolean };
  /** One sentence for people. */
  readonly why: string;
}

/** Undefined where nothing is decided: nodes, the gateway's proxy and the world are not judged. */
export interface Decision {
  readonly egress: Side | undefined;
  readonly ingress: Side | undefined;
  /** The packet goes to a device without that peer: nothing arrives, and nothing reports it. */
  readonly lost?: boolean;
}

export type Decide = (connection: Connection, request?: Request) => Decision;

const derivedFrom = (what: string): PolicyRef => ({ name: '', labels: [`reserved:io.cilium.policy.derived-from=${what}`] });

// What Cilium's policy map prefers when several entries fit: the port first, then the peer.
const preference: readonly MatchType[] = [
  matchTypes.l3l4,
  matchTypes.l4Only,
  matchTypes.l3Proto,
  matchTypes.protoOnly,
  matchTypes.l3Only,
  matchTypes.all,
];

function mostSpecific(rules: readonly NamedRule[]): { readonly match: MatchType; readonly rules: readonly NamedRule[] } {
  const match = preference.find((type) => rules.some((rule) => rule.match === type)) ?? matchTypes.all;
  return { match, rules: rules.filter((rule) => rule.match === match) };
}

const distinct = (refs: readonly PolicyRef[]): readonly PolicyRef[] => [...new Map(refs.map((ref) => [JSON.stringify(ref), ref])).values()];

function forwarded(match: MatchType, allowedBy: readonly PolicyRef[], why: string): Side {
  return {
    verdict: 'FORWARDED',
    match,
    allowedBy,
    deniedBy: [],
    log: [],
    why,
    isSelected: true,
  };
}

/** A direction's reason as the datapath reports it. */
export function sideOf(decision: DirectionDecision, reason: Reason, book: RuleBook): Side {
  const { match, rules } = mostSpecific(reason.rules.flatMap((rule) => book.nameOf(rule) ?? []));
  const refs = distinct(rules.map(({ ref }) => ref));
  const why = reason.words;
  switch (reason.kind) {
    case 'no-policy':
    case 'default-allow':
      return forwarded(matchTypes.all, [derivedFrom(`allow-any-${reason.direction}`)], why);
    case 'host':
      return forwarded(matchTypes.l3Only, [derivedFrom('allow-localhost-ingress')], why);
    case 'default-deny':
      return {
        verdict: 'DROPPED',
        reason: 'POLICY_DENIED',
        match: matchTypes.none,
        allowedBy: [],
        deniedBy: [],
        log: [],
        why,
        isSelected: true,
      };
    case 'deny':
      return { verdict: 'DROPPED', reason: 'POLICY_DENY', match, allowedBy: [], deniedBy: refs, log: [], why, isSelected: true };
    case 'allow':
    case 'l7': {
      const log = [...new Set(rules.map((rule) => rule.log).filter((text) => text !== ''))];
      const allowed: Side = { ...forwarded(match, refs, why), log };
      return decision.l7 ? { ...allowed, verdict: 'REDIRECTED', proxy: { kind: decision.l7, permits: decision.allowed } } : allowed;
    }
    default:
      return reason.kind satisfies never;
  }
}

function flowOf({ source, destination, protocol, port }: Connection, request: Request): PolicyFlow {
  return {
    source: peerOf(source),
    destination: peerOf(destination),
    protocol,
    destinationPort: port,
    ...request,
  };
}

/** Decides by the rules in force on the nodes of both ends. */
export function decideBy(rulesAt: (node: string) => RuleBook): Decide {
  return (connection, request = {}) => {
    const flow = flowOf(connection, request);
    const judge = (direction: 'egress' | 'ingress', { node }: Party): Side | undefined => {
      if (node === '') return undefined;
      const book = rulesAt(node);
      const { decision, [direction]: reason } = book.explain(flow);
      const decided = decision[direction];
      return decided && reason ? { ...sideOf(decided, reason, book), isSelected: decided.selected } : undefined;
    };
    return { egress: judge('egress', connection.source), ingress: judge('ingress', connection.destination) };
  };
}

/** True when neither end drops it; a proxy may still refuse the request. */
export function connects({ egress, ingress, lost }: Decision): boolean {
  return !lost && egress?.verdict !== 'DROPPED' && ingress?.verdict !== 'DROPPED';
}

/** True when it connects and no proxy refuses the request. */
export function isAllowed(decision: Decision): boolean {
  return connects(decision) && decision.egress?.proxy?.permits !== false && decision.ingress?.proxy?.permits !== false;
}

/** Why a connection between nodes that differ in their encryption does not come up. */
export const LOST = 'Lost between the nodes: one of them encrypts, and the other has no key.';

/** The same, and whether it gets from node to node at all. */
export function decideAcross(decide: Decide, isLost: (from: string, to: string) => boolean): Decide {
  return (connection, request) => {
    const { source, destination } = connection;
    const crosses = source.node !== '' && destination.node !== '' && source.node !== destination.node;
    const decision = decide(connection, request);
    return crosses && isLost(source.node, destination.node) ? { ...decision, lost: true } : decision;
  };
}

/** The side that decided against it, else the one that is nearer to the destination. */
export function whyOf({ egress, ingress, lost }: Decision): string {
  if (lost && egress?.verdict !== 'DROPPED') return LOST;
  const refuses = (side: Side | undefined): boolean => side !== undefined && (side.verdict === 'DROPPED' || side.proxy?.permits === false);
  const decisive = refuses(egress) ? egress : (ingress ?? egress);
  return decisive?.why ?? 'Nobody decides it.';
}
