import { type CompileWorld, type HttpRequest, isIcmp, type NamedPort, type PolicyFlow, type PolicyPeer } from '../flow.ts';
import { Identity, LabelSet } from '../identity.ts';
import { decideSide, finish } from '../outcome.ts';
import type { Direction, Policy, Requirement } from '../policy.ts';
import { type CompiledRule, compileRule, type DirectionRules, directionRules, PROTOCOL_BITS } from '../rules.ts';
import { SelectorTable } from '../selector-table.ts';

/** One set of policies that is in force together at some moment of a rollout. */
export interface State {
  /** For people: `before`, `ingress, 1 pod of 4`. */
  readonly name: string;
  readonly policies: readonly Policy[];
}

/** One flow between two peers without its ends. */
export interface What extends Pick<PolicyFlow, 'protocol' | 'destinationPort' | 'icmpType' | 'dns'> {
  readonly http?: HttpRequest | undefined;
}

/** Rules of one side in all states: equal ones are one. */
interface Selecting {
  readonly distinct: readonly DirectionRules[];
  /** Place among them, for each state. */
  readonly of: readonly number[];
}

export interface Whats {
  readonly whats: readonly What[];
  /** Some are missing. */
  readonly cut: boolean;
}

/** The policies of several states, compiled together: rules that several of them share are one. */
export class States {
  readonly names: readonly string[];
  readonly table = new SelectorTable();
  /** What can be asked under one set of rules, once it has been found out (`space.ts`). */
  readonly whats = new Map<string, Whats>();
  readonly #rules: readonly (readonly CompiledRule[])[];
  readonly #subjects = new Map<string, Readonly<Record<Direction, Selecting>>>();

  constructor(states: readonly State[], world: CompileWorld) {
    this.names = states.map(({ name }) => name);
    const known = new Map<Policy, readonly CompiledRule[]>();
    let order = 0;
    const compile = (policy: Policy): readonly CompiledRule[] =>
      policy.rules
        .filter(({ subject }) => !subject.node)
        .map((rule) => ({ ...compileRule(policy, rule, this.table, world), order: ++order }));
    this.#rules = states.map(({ policies }) =>
      policies.flatMap((policy) => {
        const rules = known.get(policy) ?? compile(policy);
        known.set(policy, rules);
        return rules;
      }),
    );
  }

  /** All rules of all states, each once. */
  get rules(): readonly CompiledRule[] {
    return [...new Set(this.#rules.flat())];
  }

  /** Rules that are not in force in every state. */
  get changing(): readonly CompiledRule[] {
    const always = this.#rules.map((rules) => new Set(rules));
    return this.rules.filter((rule) => !always.every((rules) => rules.has(rule)));
  }

  requirements(place: number): readonly Requirement[] {
    return this.table.at(place);
  }

  identity(peer: PolicyPeer): Identity {
    return new Identity(peer, new LabelSet(peer.labels, this.table.size));
  }

  /** Rules that select a pod with these labels, for each state. */
  selecting({ peer, labels }: Identity): Readonly<Record<Direction, Selecting>> {
    const key = peer.labels.join('\n');
    const known = this.#subjects.get(key);
    if (known) return known;
    const own = this.#rules.map((rules) => rules.filter(({ subject }) => this.table.matches(subject, labels)));
    const of = (direction: Direction): Selecting => {
      const distinct = new Map<string, DirectionRules>();
      const keys = own.map((rules) => {
        const sided = rules.filter(({ rule }) => rule.direction === direction);
        const text = sided.map(({ order }) => order).join();
        if (!distinct.has(text)) distinct.set(text, directionRules(sided, labels));
        return text;
      });
      const places = [...distinct.keys()];
      return { distinct: [...distinct.values()], of: keys.map((text) => places.indexOf(text)) };
    };
    const found = { ingress: of('ingress'), egress: of('egress') };
    this.#subjects.set(key, found);
    return found;
  }

  /** Does the side of `subject` let this through, in each state? */
  allows(subject: Identity, direction: Direction, peer: Identity, what: What): readonly boolean[] {
    const { distinct, of } = this.selecting(subject)[direction];
    const answers = distinct.map((rules) => this.#allowed(rules, subject, direction, peer, what));
    return of.map((place) => answers[place] ?? true);
  }

  #allowed(rules: DirectionRules, subject: Identity, direction: Direction, peer: Identity, what: What): boolean {
    const isIngress = direction === 'ingress';
    const port = (isIcmp(what.protocol) ? what.icmpType : what.destinationPort) ?? 0;
    const question = { peer, destination: isIngress ? subject : peer, isIngress, bit: PROTOCOL_BITS[what.protocol], port };
    return finish(decideSide(rules, question, this.table), what.http, what.dns)?.allowed ?? true;
  }
}

/** Container ports under every name that rules use, so that each of them is somewhere: no two at one number. */
export function namedPortsFor(rules: readonly CompiledRule[]): readonly NamedPort[] {
  const names = [...new Set(rules.flatMap(({ ports }) => ports.flatMap(({ name }) => name ?? [])))];
  return names.flatMap((name, index) => ['TCP', 'UDP', 'SCTP'].map((protocol) => ({ name, port: 50_001 + index * 10, protocol })));
}

/** One kind of flow that one side allows after a change and not before it, or the other way round. */
export interface ReachChange {
  readonly kind: 'opens' | 'closes';
  /** The side that decides: `ingress` of a pod that is reached, `egress` of one that reaches out. */
  readonly direction: Direction;
  /** The other end. */
  readonly peer: PolicyPeer;
  readonly what: What;
  /** One of many: those whom, or that which, no rule names. `all`: no rule names anybody, or anything. */
  readonly rest: { readonly peer: Rest; readonly port: Rest };
}

export type Rest = 'named' | 'others' | 'all';
