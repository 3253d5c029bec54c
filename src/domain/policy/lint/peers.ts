import { canonicalJson, type Json } from '../../json.ts';
import { limitsPorts } from './ports.ts';
import { asList, asRecord, type Raw, type RuleView } from './view.ts';

/** Members that name peers. In the first group `[]` selects nobody; in the second it counts as absent. */
export const NOBODY_WHEN_EMPTY = ['Endpoints', 'CIDR', 'CIDRSet', 'Entities', 'Nodes'] as const;
export const ABSENT_WHEN_EMPTY = ['FQDNs', 'Services', 'Groups'] as const;

const NAMESPACE_KEY = /^((k8s|any)[:.])?(io\.kubernetes\.pod\.namespace|io\.cilium\.k8s\.namespace\.labels\..+)$/;

/** `fromEndpoints` or `toEndpoints`. */
export function member(rule: RuleView, name: string): string {
  return `${rule.direction === 'ingress' ? 'from' : 'to'}${name}`;
}

/** Whether the rule names no peers at all: with ports it then means everybody, the world included; without, nobody. */
export function namesNobody(rule: RuleView): boolean {
  const strict = NOBODY_WHEN_EMPTY.some((name) => asListOrNothing(rule.value[member(rule, name)]) !== undefined);
  return !strict && ABSENT_WHEN_EMPTY.every((name) => asList(rule.value[member(rule, name)]).length === 0);
}

/** Whether the rule admits every address of the world: by naming nobody, by entity, or by 0.0.0.0/0. */
export function admitsWorld(rule: RuleView): boolean {
  if (namesNobody(rule)) return limitsPorts(rule);
  if (entities(rule).some((entity) => entity === 'world' || entity === 'all')) return true;
  if (asList(rule.value[member(rule, 'CIDR')]).some(isEverything)) return true;
  return asList(rule.value[member(rule, 'CIDRSet')]).some((one) => {
    const set = asRecord(one);
    return isEverything(set?.['cidr']) && asList(set?.['except']).length === 0;
  });
}

/** Whether it admits the whole world but a few ranges. */
export function admitsMostOfWorld(rule: RuleView): boolean {
  return asList(rule.value[member(rule, 'CIDRSet')]).some((one) => isEverything(asRecord(one)?.['cidr']));
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

/** Whom a rule names, as far as rules can be compared by their text. */
export interface NamedPeers {
  readonly anybody: boolean;
  readonly nobody: boolean;
  readonly entries: ReadonlySet<string>;
  /** One of its selectors is `{}`: every pod that the policy can name without a namespace. */
  readonly everyPod: boolean;
  /** It names nothing but such pods. */
  readonly onlyPods: boolean;
}

export function namedPeers(rule: RuleView): NamedPeers {
  const listed = [...NOBODY_WHEN_EMPTY, ...ABSENT_WHEN_EMPTY].flatMap((name) =>
    asList(rule.value[member(rule, name)]).map((entry) => ({ name, entry, text: `${name} ${canonicalJson(entry as Json)}` })),
  );
  const pods = listed.map(({ name, entry }) => (name === 'Endpoints' ? asRecord(entry) : undefined));
  const empty = NOBODY_WHEN_EMPTY.some((name) => asListOrNothing(rule.value[member(rule, name)])?.length === 0);
  return {
    anybody: (namesNobody(rule) && limitsPorts(rule)) || entities(rule).includes('all'),
    nobody: empty || (namesNobody(rule) && !limitsPorts(rule)),
    entries: new Set(listed.map(({ text }) => text)),
    everyPod: pods.some((pod) => pod !== undefined && Object.keys(pod).length === 0),
    onlyPods: pods.length > 0 && pods.every((pod) => pod !== undefined && (rule.spec.policy.clusterwide || !namesNamespace(pod))),
  };
}

/** Whether the text alone shows that the wide rule names everybody whom the narrow one names. */
export function includesPeers(wide: NamedPeers, narrow: NamedPeers): boolean {
  if (wide.nobody || narrow.nobody) return false;
  if (wide.anybody || (wide.everyPod && narrow.onlyPods)) return true;
  return narrow.entries.size > 0 && [...narrow.entries].every((entry) => wide.entries.has(entry));
}

function asListOrNothing(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function isEverything(cidr: unknown): boolean {
  return typeof cidr === 'string' && cidr.endsWith('/0');
}
