import type { Decision, DirectionDecision, ReasonKind } from './decision.ts';
import type { NameMatch } from './dns-pattern.ts';
import type { DnsQuery, HttpRequest } from './flow.ts';
import type { Identity } from './identity.ts';
import { permitsQuery, type RequestMatch } from './l7.ts';
import { type CompiledRule, covers, type DirectionRules, isExact, matchesPeer } from './rules.ts';
import type { SelectorTable } from './selector-table.ts';

/** What one direction says of all flows of one pair, protocol and port; only layer 7 is still open. */
export interface Side {
  readonly decision: DirectionDecision;
  /** The decision if layer 7 refuses; null where it cannot. */
  readonly refused: DirectionDecision | null;
  readonly requests: readonly RequestMatch[];
  readonly queries: readonly NameMatch[];
  readonly kind: ReasonKind;
}

/** What both directions say; the sides are kept only as long as layer 7 is open. */
export interface Outcome {
  readonly egress: Side | null;
  readonly ingress: Side | null;
  /** The decision where nothing is left to layer 7. */
  readonly settled: Decision | null;
}

/** What a flow asks of one direction. */
export interface Question {
  readonly peer: Identity;
  readonly destination: Identity;
  readonly isIngress: boolean;
  readonly bit: number;
  readonly port: number;
}

/** Rules that cover the question, in their order. */
export function coveringRules({ rules }: DirectionRules, question: Question, table: SelectorTable): readonly CompiledRule[] {
  const { peer, destination, isIngress, bit, port } = question;
  const covering: CompiledRule[] = [];
  for (const rule of rules) {
    for (const one of rule.ports) {
      if (!covers(one, bit, port, destination.namedPorts, isIngress)) continue;
      if (matchesPeer(rule.peers, peer, table)) covering.push(rule);
      break;
    }
  }
  return covering;
}

/** Deny beats allow; the node itself reaches its pods; where only rules without default deny select, the rest is allowed. */
export function decideSide(all: DirectionRules, question: Question, table: SelectorTable): Side {
  const { selected, enforced } = all;
  if (!selected) return settledSide('no-policy', all);
  const covering = coveringRules(all, question, table);
  if (covering.some(({ isDeny }) => isDeny)) return settledSide('deny', all);
  const isLocalHost = question.isIngress && question.peer.labels.isHost && all.rules.length > 0;
  if (covering.length === 0) {
    if (enforced && isLocalHost) return settledSide('host', all);
    return settledSide(enforced ? 'default-deny' : 'default-allow', all);
  }
  return layer7(covering, all, question, isLocalHost);
}

function settledSide(kind: ReasonKind, { selected, enforced }: DirectionRules): Side {
  const allowed = kind !== 'deny' && kind !== 'default-deny';
  return {
    decision: directionDecision({ allowed, enforced, selected, l4: allowed, l7: null }),
    refused: null,
    requests: [],
    queries: [],
    kind,
  };
}

/**
 * A flow that some rule sends to the HTTP proxy goes there, and may do what any covering rule permits: all, for a rule without `http`.
 * The DNS proxy knows only the rules for exactly this port. Without default deny neither restricts anything.
 */
function layer7(covering: readonly CompiledRule[], all: DirectionRules, question: Question, isLocalHost: boolean): Side {
  const { enforced, selected } = all;
  const { destination, isIngress, bit, port } = question;
  const entries = covering.flatMap(({ ports }) => ports.filter((one) => covers(one, bit, port, destination.namedPorts, isIngress)));
  const l7 = (['http', 'dns'] as const).find((kind) => entries.some((entry) => entry.l7?.kind === kind)) ?? null;
  const heard = l7 === 'dns' ? entries.filter(isExact) : entries;
  const isOpen = l7 === null || !enforced || isLocalHost || heard.some((entry) => entry.l7?.kind !== l7);
  const base = { enforced, selected, l4: true, l7 };
  return {
    decision: directionDecision({ ...base, allowed: true }),
    refused: isOpen ? null : directionDecision({ ...base, allowed: false }),
    requests: isOpen ? [] : heard.flatMap((entry) => (entry.l7?.kind === 'http' ? entry.l7.matches : [])),
    queries: isOpen ? [] : heard.flatMap((entry) => (entry.l7?.kind === 'dns' ? entry.l7.matches : [])),
    kind: 'allow',
  };
}

/** A flow of which no request or query was seen is what layers 3 and 4 say. */
export function finish(side: Side | null, http: HttpRequest | undefined, dns: DnsQuery | undefined): DirectionDecision | null {
  if (!side?.refused) return side?.decision ?? null;
  if (side.decision.l7 === 'http') return !http || side.requests.some((matches) => matches(http)) ? side.decision : side.refused;
  return !dns || permitsQuery(side.queries, dns.query) ? side.decision : side.refused;
}

interface Facts {
  readonly allowed: boolean;
  readonly enforced: boolean;
  readonly selected: boolean;
  readonly l4: boolean;
  readonly l7: 'http' | 'dns' | null;
}

// There are few different decisions, so each is one object for good: deciding allocates nothing.
const directions: DirectionDecision[] = [];
const decisions = new Map<DirectionDecision | null, Map<DirectionDecision | null, Decision>>();
const settledOutcomes = new Map<Decision, Outcome>();

function directionDecision({ allowed, enforced, selected, l4, l7 }: Facts): DirectionDecision {
  const place = (allowed ? 1 : 0) + (enforced ? 2 : 0) + (selected ? 4 : 0) + (l4 ? 8 : 0) + (l7 === null ? 0 : l7 === 'http' ? 16 : 32);
  const known = directions[place];
  if (known) return known;
  const made = Object.freeze({ allowed, enforced, selected, l4: l4 ? ('allowed' as const) : ('denied' as const), ...(l7 && { l7 }) });
  directions[place] = made;
  return made;
}

export function decisionOf(egress: DirectionDecision | null, ingress: DirectionDecision | null): Decision {
  const row = decisions.get(egress) ?? new Map<DirectionDecision | null, Decision>();
  decisions.set(egress, row);
  const known = row.get(ingress);
  if (known) return known;
  const isAllowed = (egress?.allowed ?? true) && (ingress?.allowed ?? true);
  const made = Object.freeze({ verdict: isAllowed ? ('allowed' as const) : ('denied' as const), egress, ingress });
  row.set(ingress, made);
  return made;
}

/** The outcome of a pair and port where layer 7 has no say: one object for each decision. */
export function settledOutcome(egress: DirectionDecision | null, ingress: DirectionDecision | null): Outcome {
  const settled = decisionOf(egress, ingress);
  const known = settledOutcomes.get(settled);
  if (known) return known;
  const made: Outcome = { egress: null, ingress: null, settled };
  settledOutcomes.set(settled, made);
  return made;
}
