// One set of policies, asked about recorded flows: what it says, and whether that is certain.
import type { DirectionDecision } from '../decision.ts';
import { canonicalName, dnsRuleMatch, type NameMatch } from '../dns-pattern.ts';
import { compilePolicies, type Evaluator } from '../evaluator.ts';
import type { CompileWorld, PolicyFlow, PolicyPeer } from '../flow.ts';
import { LabelSet } from '../identity.ts';
import type { Direction, Policy, Requirement } from '../policy.ts';
import { withoutConditions } from '../worst.ts';
import { type DenialDoubt, denialDoubt } from './doubts.ts';
import type { UnknownReason } from './flow.ts';

export interface Said {
  readonly decision: DirectionDecision;
  /** Why an allowance is not certain. */
  readonly doubt: UnknownReason | undefined;
}

export class PolicySide {
  readonly evaluator: Evaluator;
  /** Why a denial is not certain. */
  readonly denialDoubt: DenialDoubt;
  readonly #strict: Evaluator | undefined;
  readonly #names: LearnedNames | undefined;

  /** @param namespace that the policies may select in; empty = in every one */
  constructor(policies: readonly Policy[], world: CompileWorld, namespace: string) {
    this.evaluator = compilePolicies(policies, world);
    const strict = withoutConditions(policies);
    this.#strict = strict && compilePolicies(strict, world);
    this.#names = speaksOfNames(policies) ? learnedNames(policies) : undefined;
    const learns = this.#names;
    this.denialDoubt = denialDoubt(policies, namespace, world.services !== undefined, (peer) => learns?.(peer) !== undefined);
  }

  /** Undefined where no policy is enforced at that end. */
  decide(flow: PolicyFlow, direction: Direction): Said | undefined {
    const asked = this.asSeen(flow);
    const decision = this.evaluator.decide(asked)[direction];
    if (!decision) return undefined;
    const isCertain = !decision.allowed || !this.#strict || this.#strict.decide(asked)[direction]?.allowed === true;
    return { decision, doubt: isCertain ? undefined : 'condition' };
  }

  /** A rule by name matches an address whose name the source has learned: from an answer that passed the DNS proxy for one of its DNS rules. */
  asSeen(flow: PolicyFlow): PolicyFlow {
    const names = flow.destination.fqdns ?? [];
    if (!this.#names || names.length === 0) return flow;
    const matches = this.#names(flow.source) ?? [];
    const known = names.filter((name) => matches.some((one) => one(canonicalName(name))));
    return known.length === names.length ? flow : { ...flow, destination: { ...flow.destination, fqdns: known } };
  }
}

type LearnedNames = (source: PolicyPeer) => readonly NameMatch[] | undefined;

function speaksOfNames(policies: readonly Policy[]): boolean {
  return policies.some(({ rules }) => rules.some(({ peers }) => peers.selectors.some(({ kind }) => kind === 'fqdn')));
}

/** The names that a source may ask the DNS proxy for; undefined where no rule sends its questions there. */
function learnedNames(policies: readonly Policy[]): LearnedNames {
  const rules = policies.flatMap((policy) =>
    policy.rules.flatMap(({ direction, verdict, subject, ports, defaultDeny }) => {
      const dns = (ports ?? []).flatMap(({ l7 }) => (l7?.kind === 'dns' ? l7.rules : []));
      if (direction !== 'egress' || verdict !== 'allow' || subject.node || dns.length === 0) return [];
      // Where nothing is denied by default every question passes, and is read.
      const matches = defaultDeny ? dns.map(({ matchName, matchPattern }) => dnsRuleMatch(matchName, matchPattern)) : [() => true];
      return [{ requirements: subject.requirements, matches }];
    }),
  );
  const known = new Map<string, readonly NameMatch[] | undefined>();
  return ({ labels }) => {
    const key = labels.join('\n');
    if (!known.has(key)) {
      const set = new LabelSet(labels, 0);
      const own = rules.filter(({ requirements }) => requirements.every((one: Requirement) => set.meets(one)));
      if (known.size > MOST_SOURCES) known.clear();
      known.set(key, own.length === 0 ? undefined : own.flatMap(({ matches }) => matches));
    }
    return known.get(key);
  };
}

const MOST_SOURCES = 10_000;
