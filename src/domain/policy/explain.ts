import type { DirectionDecision, Reason, ReasonKind, RuleName } from './decision.ts';
import type { PolicyFlow } from './flow.ts';
import { permitsQuery } from './l7.ts';
import { coveringRules, decideSide, type Question } from './outcome.ts';
import { policyId } from './policy.ts';
import { type CompiledRule, covers, type DirectionRules, isExact } from './rules.ts';
import type { SelectorTable } from './selector-table.ts';

/** Why one direction decided as it did. The rules are named in the order in which the policies were given. */
export function explainSide(
  all: DirectionRules,
  question: Question,
  table: SelectorTable,
  decision: DirectionDecision,
  flow: PolicyFlow,
): Reason {
  const direction = question.isIngress ? 'ingress' : 'egress';
  const { kind: settled } = decideSide(all, question, table);
  const covering = coveringRules(all, question, table);
  const isRefused = settled === 'allow' && !decision.allowed;
  const kind: ReasonKind = isRefused ? 'l7' : settled;
  const rules = decidingRules(kind, covering, question, decision, flow).map(nameOf);
  return { direction, kind, rules, words: wordsFor(kind, rules, question) };
}

/** Deny rules for a denial; for an allowed request the rules that permit it; else all that cover the flow. */
function decidingRules(
  kind: ReasonKind,
  covering: readonly CompiledRule[],
  question: Question,
  { enforced, l7 }: DirectionDecision,
  { http, dns }: PolicyFlow,
): readonly CompiledRule[] {
  if (kind === 'deny') return covering.filter(({ isDeny }) => isDeny);
  if (kind !== 'allow' && kind !== 'l7') return [];
  const { destination, isIngress, bit, port } = question;
  const permits = ({ ports }: CompiledRule) =>
    ports.some((one) => {
      if (!covers(one, bit, port, destination.namedPorts, isIngress)) return false;
      if (l7 === 'dns' && !isExact(one)) return false;
      if (!one.l7 || one.l7.kind !== l7) return true;
      if (one.l7.kind === 'http') return !http || one.l7.matches.some((matches) => matches(http));
      return !dns || permitsQuery(one.l7.matches, dns.query);
    });
  if (kind === 'l7') return covering.filter(({ ports }) => ports.some((one) => one.l7?.kind === l7));
  const permitting = covering.filter(permits);
  // Without default deny layer 7 restricts nothing: the rule that sends the flow to the proxy is the one to name.
  return !enforced || permitting.length === 0 ? covering : permitting;
}

function nameOf({ policy, rule }: CompiledRule): RuleName {
  return { kind: policy.kind, policy: policyId(policy), path: rule.path };
}

function wordsFor(kind: ReasonKind, rules: readonly RuleName[], { isIngress }: Question): string {
  const named = rules.map(({ policy, path }) => `${policy} (${path})`).join(', ');
  const direction = isIngress ? 'ingress' : 'egress';
  switch (kind) {
    case 'allow':
      return `Allowed by ${named}.`;
    case 'deny':
      return `Denied by ${named}.`;
    case 'l7':
      return `${named} lets the connection through, but none of its layer 7 rules permits this request.`;
    case 'default-deny':
      return `No rule allows it, and the endpoint is under default deny for ${direction}.`;
    case 'default-allow':
      return `No rule decides it: only policies without default deny select the endpoint for ${direction}.`;
    case 'no-policy':
      return `No rule decides it: no policy selects the endpoint for ${direction}.`;
    case 'host':
      return 'No rule decides it: a node always reaches the pods on it.';
  }
}
