import type { Decision, Explanation } from './decision.ts';
import { explainSide } from './explain.ts';
import { type CompileWorld, type DnsQuery, type FlowProtocol, type HttpRequest, isIcmp, type PolicyFlow, type PolicyPeer } from './flow.ts';
import { Identity, LabelSet, labelsKey, peerKey } from './identity.ts';
import { decideSide, decisionOf, finish, type Outcome, type Question, type Side, settledOutcome } from './outcome.ts';
import { OutcomeTable } from './outcome-table.ts';
import type { Policy } from './policy.ts';
import { type CompiledRule, compileRule, directionRules, PROTOCOL_BITS, type SubjectRules } from './rules.ts';
import { NAMESPACE_LABEL } from './selector.ts';
import { SelectorTable } from './selector-table.ts';

/** Decides flows under one set of policies. */
export interface Evaluator {
  decide(flow: PolicyFlow): Decision;
  /** Which rule decided and why; slower than `decide`. */
  explain(flow: PolicyFlow): Explanation;
  /** A peer made known once, for `decideBetween`. Valid with this evaluator only, and kept as long as it lives. */
  identity(peer: PolicyPeer): IdentityHandle;
  /** The same as `decide`, for flows between peers that are known already. */
  decideBetween(flow: CompactFlow): Decision;
}

export type IdentityHandle = number & { readonly handle: unique symbol };

export interface CompactFlow {
  readonly source: IdentityHandle;
  readonly destination: IdentityHandle;
  readonly protocol: FlowProtocol;
  readonly destinationPort?: number | undefined;
  readonly icmpType?: number | undefined;
  readonly http?: HttpRequest | undefined;
  readonly dns?: DnsQuery | undefined;
}

/** Peers that `decide` remembers; further ones are decided from their labels each time. A port scan from the world must not fill memory. */
const MOST_IDENTITIES = 100_000;
/** Outcomes remembered at most; then all are forgotten and found anew. About 50 MB. */
const MOST_OUTCOMES = 1_000_000;

/** Policies of any kind and order, all in force together: their rules are one union per endpoint and direction. */
export function compilePolicies(policies: readonly Policy[], world: CompileWorld = {}): Evaluator {
  return new PolicyEvaluator(policies, world);
}

class PolicyEvaluator implements Evaluator {
  readonly #table = new SelectorTable();
  /** Rules by the one namespace which their subject must be in; under '' those without such a condition. */
  readonly #rules = new Map<string, CompiledRule[]>();
  readonly #labelSets = new Map<string, { readonly labels: LabelSet; readonly peers: Map<string, IdentityHandle> }>();
  readonly #subjects = new WeakMap<LabelSet, SubjectRules>();
  readonly #identities: Identity[] = [];
  readonly #outcomes = new OutcomeTable<Outcome>(MOST_OUTCOMES);

  constructor(policies: readonly Policy[], world: CompileWorld) {
    let order = 0;
    for (const policy of policies) {
      for (const rule of policy.rules) {
        if (rule.subject.node) continue;
        order += 1;
        const compiled = { ...compileRule(policy, rule, this.#table, world), order };
        const namespace = namespaceOf(compiled);
        const others = this.#rules.get(namespace);
        if (others) others.push(compiled);
        else this.#rules.set(namespace, [compiled]);
      }
    }
  }

  decide(flow: PolicyFlow): Decision {
    if (this.#identities.length < MOST_IDENTITIES) {
      return this.decideBetween({ ...flow, source: this.identity(flow.source), destination: this.identity(flow.destination) });
    }
    return decided(
      this.#outcome(this.#stranger(flow.source), this.#stranger(flow.destination), PROTOCOL_BITS[flow.protocol], portOf(flow)),
      flow,
    );
  }

  identity(peer: PolicyPeer): IdentityHandle {
    const key = labelsKey(peer);
    let known = this.#labelSets.get(key);
    if (!known) {
      known = { labels: new LabelSet(peer.labels, this.#table.size), peers: new Map() };
      this.#labelSets.set(key, known);
    }
    const rest = peerKey(peer, known.labels);
    let handle = known.peers.get(rest);
    if (handle === undefined) {
      handle = (this.#identities.push(new Identity(peer, known.labels)) - 1) as IdentityHandle;
      known.peers.set(rest, handle);
    }
    return handle;
  }

  decideBetween(flow: CompactFlow): Decision {
    const port = portOf(flow);
    const bit = PROTOCOL_BITS[flow.protocol];
    const what = port * 32 + bit;
    let outcome = this.#outcomes.get(flow.source, flow.destination, what);
    if (!outcome) {
      outcome = this.#outcome(this.#at(flow.source), this.#at(flow.destination), bit, port);
      this.#outcomes.set(flow.source, flow.destination, what, outcome);
    }
    return decided(outcome, flow);
  }

  explain(flow: PolicyFlow): Explanation {
    const decision = this.decide(flow);
    const source = this.#stranger(flow.source);
    const destination = this.#stranger(flow.destination);
    const [outward, inward] = questions(source, destination, PROTOCOL_BITS[flow.protocol], portOf(flow));
    return {
      decision,
      egress: decision.egress && explainSide(this.#subject(source).egress, outward, this.#table, decision.egress, flow),
      ingress: decision.ingress && explainSide(this.#subject(destination).ingress, inward, this.#table, decision.ingress, flow),
    };
  }

  /** A peer that is not to be remembered. */
  #stranger(peer: PolicyPeer): Identity {
    return new Identity(peer, this.#labelSets.get(labelsKey(peer))?.labels ?? new LabelSet(peer.labels, this.#table.size));
  }

  #outcome(source: Identity, destination: Identity, bit: number, port: number): Outcome {
    const [outward, inward] = questions(source, destination, bit, port);
    const egress: Side | null = source.labels.isJudged ? decideSide(this.#subject(source).egress, outward, this.#table) : null;
    const ingress: Side | null = destination.labels.isJudged ? decideSide(this.#subject(destination).ingress, inward, this.#table) : null;
    if (egress?.refused || ingress?.refused) return { egress, ingress, settled: null };
    return settledOutcome(egress?.decision ?? null, ingress?.decision ?? null);
  }

  #subject({ labels }: Identity): SubjectRules {
    const known = this.#subjects.get(labels);
    if (known) return known;
    const near = labels.namespace === '' ? [] : (this.#rules.get(labels.namespace) ?? []);
    const selecting = [...near, ...(this.#rules.get('') ?? [])]
      .filter(({ subject }) => this.#table.matches(subject, labels))
      .sort((a, b) => a.order - b.order);
    const rules: SubjectRules = {
      egress: directionRules(
        selecting.filter(({ rule }) => rule.direction === 'egress'),
        labels,
      ),
      ingress: directionRules(
        selecting.filter(({ rule }) => rule.direction === 'ingress'),
        labels,
      ),
    };
    this.#subjects.set(labels, rules);
    return rules;
  }

  #at(handle: IdentityHandle): Identity {
    const identity = this.#identities[handle];
    if (identity) return identity;
    throw new RangeError(`There is no identity ${handle} in this evaluator: handles come from its own \`identity\`.`);
  }
}

function portOf({ protocol, icmpType, destinationPort }: Pick<CompactFlow, 'protocol' | 'icmpType' | 'destinationPort'>): number {
  return (isIcmp(protocol) ? icmpType : destinationPort) ?? 0;
}

function decided({ settled, egress, ingress }: Outcome, { http, dns }: Pick<CompactFlow, 'http' | 'dns'>): Decision {
  return settled ?? decisionOf(finish(egress, http, dns), finish(ingress, http, dns));
}

function questions(source: Identity, destination: Identity, bit: number, port: number): readonly [Question, Question] {
  return [
    { peer: destination, destination, isIngress: false, bit, port },
    { peer: source, destination, isIngress: true, bit, port },
  ];
}

function namespaceOf({ rule }: CompiledRule): string {
  const found = rule.subject.requirements.find(
    ({ source, key, operator, values }) => source === 'k8s' && key === NAMESPACE_LABEL && operator === 'In' && values.length === 1,
  );
  return found?.values[0] ?? '';
}
