import { isObject, type Json, type JsonObject } from '../../json.ts';
import { DIRECTIONS, type Direction } from '../policy.ts';

/** One rule of a policy as it is written: `spec`, or one of `specs`. */
export type RuleJson = JsonObject;

/** Label of the pods that go first. Its value is the operation's id, so two operations never meet. */
export const COHORT_LABEL = 'meshops.dev/cohort';

const SECTIONS = { ingress: ['ingress', 'ingressDeny'], egress: ['egress', 'egressDeny'] } as const;
/** Parts of a port rule that send traffic through a proxy. `rules` holds `http` and `dns`. */
const PROXY_PARTS: readonly string[] = ['rules', 'listener', 'terminatingTLS', 'originatingTLS', 'serverNames'];

/** What a policy's spec fields hold: exactly what is written to the cluster. */
export interface SpecFields {
  readonly spec: JsonObject | null;
  readonly specs: readonly JsonObject[] | null;
}

/** The rules of a policy document, in the order in which they are written. */
export function rulesOf(document: JsonObject): readonly RuleJson[] {
  return [document['spec'], ...(isList(document['specs']) ? document['specs'] : [])].filter(isObject);
}

export function specFields(document: JsonObject): SpecFields {
  const { spec, specs } = document;
  return { spec: isObject(spec) ? spec : null, specs: isList(specs) ? specs.filter(isObject) : null };
}

/** Directions that a rule says anything about. */
export function directionsOf(rules: readonly RuleJson[]): readonly Direction[] {
  return DIRECTIONS.filter((direction) =>
    rules.some((rule) => SECTIONS[direction].some((section) => hasEntries(rule[section]))),
  ).toReversed();
}

/** A rule cut down to one direction; undefined where it says nothing about it. Default deny of the other direction goes with it. */
export function inDirection(rule: RuleJson, direction: Direction): RuleJson | undefined {
  if (!SECTIONS[direction].some((section) => hasEntries(rule[section]))) return undefined;
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  const rest = without(rule, [...SECTIONS[other], 'enableDefaultDeny']);
  const deny = rule['enableDefaultDeny'];
  const own = isObject(deny) ? deny[direction] : undefined;
  return own === undefined ? rest : { ...rest, enableDefaultDeny: { [direction]: own } };
}

/** What becomes of DNS rules: they stay, they let every lookup through and only see it, or they go. */
type Dns = 'kept' | 'seen' | 'none';

/**
 * A rule on layers 3 and 4 alone. DNS rules may stay: without them `toFQDNs` learns no addresses, and every name would be refused.
 */
export function withoutProxy(rule: RuleJson, options: { readonly dns: Dns }): RuleJson {
  const plain = { ...rule };
  for (const section of ['ingress', 'egress']) {
    const entries = rule[section];
    if (isList(entries)) plain[section] = entries.map((entry) => (isObject(entry) ? plainEntry(entry, options.dns) : entry));
  }
  return plain;
}

function plainEntry(entry: JsonObject, dns: Dns): JsonObject {
  const { toPorts, ...rest } = without(entry, ['authentication']);
  if (!isList(toPorts)) return toPorts === undefined ? rest : { ...rest, toPorts };
  return { ...rest, toPorts: toPorts.map((one) => (isObject(one) ? plainPorts(one, dns) : one)) };
}

function plainPorts(ports: JsonObject, dns: Dns): JsonObject {
  const { rules } = ports;
  const plain = without(ports, PROXY_PARTS);
  if (dns === 'none' || !isObject(rules) || !hasEntries(rules['dns'])) return plain;
  return { ...plain, rules: { dns: dns === 'seen' ? [{ matchPattern: '*' }] : rules['dns'] } };
}

/** A rule for the pods of the cohort (`in`), or for all others (`out`). */
export function forCohort(rule: RuleJson, opId: string, side: 'in' | 'out'): RuleJson {
  const selector = isObject(rule['endpointSelector']) ? rule['endpointSelector'] : {};
  const expressions = isList(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  const expression = { key: COHORT_LABEL, operator: side === 'in' ? 'In' : 'NotIn', values: [opId] };
  return { ...rule, endpointSelector: { ...selector, matchExpressions: [...expressions, expression] } };
}

/** Does a document decide otherwise for the cohort than for the pods outside of it? */
export function tellsCohort(document: JsonObject, opId: string): boolean {
  return JSON.stringify(rulesOf(document)).includes(JSON.stringify([opId]));
}

/** A rule that selects nobody and denies nothing: what a policy is while it only holds its name. */
export function inertRule(opId: string): RuleJson {
  return {
    endpointSelector: { matchLabels: { [COHORT_LABEL]: `${opId}-nobody` } },
    enableDefaultDeny: { ingress: false, egress: false },
    ingress: [{}],
  };
}

/**
 * The rule that only watches: its allows on layers 3 and 4, in the directions given, without default deny either way, marked in every
 * verdict. Deny entries and proxies are left out, since both would act. It leaves the cohort alone: beside an enforced rule on layer 7 its plain allow
 * would open what that rule closes. Where the policy has rules for names, lookups go through the DNS proxy all the same, which refuses none: an address
 * that nobody has looked up by then belongs to no name when the policy comes. Source: facts of Cilium 1.20, `enableDefaultDeny`.
 */
export function shadowRule(
  rule: RuleJson,
  directions: readonly Direction[],
  opId: string,
  options: { readonly byName: boolean },
): RuleJson | undefined {
  const wanted = directions.filter((direction) => inDirection(rule, direction) !== undefined);
  if (wanted.length === 0) return undefined;
  const plain = withoutProxy(rule, { dns: options.byName ? 'seen' : 'none' });
  // A section that only denies is watched as well: nothing is allowed by it, so every verdict shows as unmatched.
  const sections = wanted.map((direction) => [direction, hasEntries(plain[direction]) ? plain[direction] : [{}]] as const);
  return forCohort(
    {
      endpointSelector: rule['endpointSelector'] ?? {},
      ...Object.fromEntries(sections),
      enableDefaultDeny: { ingress: false, egress: false },
      log: { value: markerOf(opId) },
    },
    opId,
    'out',
  );
}

/** What the shadow's verdicts carry in `policy_log`: printable, at most 32 characters. */
export function markerOf(opId: string): string {
  return opId.slice(0, 32);
}

function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function hasEntries(value: Json | undefined): boolean {
  return isList(value) && value.length > 0;
}

/** Does a policy allow names outside, which an agent knows only from the lookups that it has seen? */
export function allowsByName(document: JsonObject): boolean {
  return rulesOf(document).some(({ egress }) => isList(egress) && egress.some((entry) => isObject(entry) && hasEntries(entry['toFQDNs'])));
}

/** Does a rule speak of a port by its name? Said too often rather than too seldom. */
export function namesPorts(document: JsonObject): boolean {
  return /"port":"[^"]*[a-z]/i.test(JSON.stringify(document['specs'] ?? '') + JSON.stringify(document['spec'] ?? ''));
}
