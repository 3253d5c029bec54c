import { canonicalJson, type Json } from '../../json.ts';
import { asList, asRecord, type Raw, type RuleView } from './view.ts';

/** Members that name peers. In the first group `[]` selects nobody; in the second it counts as absent. */
export const NOBODY_WHEN_EMPTY = ['Endpoints', 'CIDR', 'CIDRSet', 'Entities', 'Nodes'] as const;
export const ABSENT_WHEN_EMPTY = ['FQDNs', 'Services', 'Groups'] as const;

const NAMESPACE_KEY = /^((k8s|any)[:.])?(io\.kubernetes\.pod\.namespace|io\.cilium\.k8s\.namespace\.labels\..+)$/;

/** `fromEndpoints` or `toEndpoints`. */
export function member(rule: RuleView, name: string): string {
  return `${rule.direction === 'ingress' ? 'from' : 'to'}${name}`;
}

/** Whether the rule names no peers at all: with ports it then means everybody, the world included. */
export function namesNobody(rule: RuleView): boolean {
  const strict = NOBODY_WHEN_EMPTY.some((name) => Array.isArray(rule.value[member(rule, name)]));
  return !strict && ABSENT_WHEN_EMPTY.every((name) => asList(rule.value[member(rule, name)]).length === 0);
}

/** Whether the rule admits every address of the world: by naming nobody, by entity, or by 0.0.0.0/0. */
export function admitsWorld(rule: RuleView): boolean {
  if (namesNobody(rule)) return true;
  if (entities(rule).some((entity) => entity === 'world' || entity === 'all')) return true;
  if (asList(rule.value[member(rule, 'CIDR')]).some(isEverything)) return true;
  return asList(rule.value[member(rule, 'CIDRSet')]).some((one) => {
    const set = asRecord(one);
    return isEverything(set?.['cidr']) && asList(set?.['except']).length === 0;
  });
}

export function entities(rule: RuleView): readonly unknown[] {
  return asList(rule.value[member(rule, 'Entities')]);
}

/** Whether a selector says itself which namespaces it means; otherwise Cilium adds the policy's own. */
export function namesNamespace(selector: Raw): boolean {
  const labels = Object.keys(asRecord(selector['matchLabels']) ?? {});
  const keys = asList(selector['matchExpressions']).map((one) => asRecord(one)?.['key']);
  return [...labels, ...keys].some((key) => typeof key === 'string' && (NAMESPACE_KEY.test(key) || key.startsWith('reserved:')));
}

/** Rules with the same text mean the same peers. */
export function peersText(rule: RuleView): string {
  const names = [...NOBODY_WHEN_EMPTY, ...ABSENT_WHEN_EMPTY].map((name) => member(rule, name));
  return canonicalJson(Object.fromEntries(names.map((name) => [name, rule.value[name] as Json | undefined])));
}

function isEverything(cidr: unknown): boolean {
  return typeof cidr === 'string' && cidr.endsWith('/0');
}
