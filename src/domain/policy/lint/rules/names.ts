// Names: what DNS, the DNS proxy and toFQDNs need from each other.
import { canonicalName, dnsNameError, dnsPatternError, dnsRuleMatch } from '../../dns-pattern.ts';
import { grantsFor, possibleGrants } from '../grants.ts';
import { admitsMostOfWorld, admitsWorld, entities, member, namesNamespace } from '../peers.ts';
import { admitsPort, dnsGroups, groupSpans, hasDnsRules, limitsPorts, overlap, portsOf, spanOf } from '../ports.ts';
import { add, type Draft, fix, type LintRule, perSpec, remove } from '../rule.ts';
import { asList, asRecord, deniesByDefault, items, type RuleView, records, type SpecView } from '../view.ts';
import { selectsReserved } from './whole.ts';

const CLUSTER_DNS = {
  toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } }],
  toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*' }] } }],
} as const;
const DNS_RULES = { dns: [{ matchPattern: '*' }] } as const;

/** Another policy of the run sends DNS of pods through the proxy that may be these: nobody can tell by the labels. */
const ELSEWHERE = { severity: 'warning' } as const;

/** What the spec allows out, where it denies the rest. */
function allowsOf(spec: SpecView): readonly RuleView[] {
  return deniesByDefault(spec, 'egress') ? spec.rules.filter((rule) => rule.direction === 'egress' && !rule.deny) : [];
}

function byName(rules: readonly RuleView[]): readonly RuleView[] {
  return rules.filter((rule) => asList(rule.value['toFQDNs']).length > 0);
}

export const fqdnWithoutDns: LintRule = {
  id: 'fqdn-without-dns',
  severity: 'error',
  title: 'toFQDNs knows only names that passed the DNS proxy',
  check: perSpec((spec, context) => {
    const rules = allowsOf(spec);
    const [first] = byName(rules);
    const groups = rules.flatMap(dnsGroups);
    if (!first || context.dnsVisible || groups.some(hasDnsRules) || grantsFor(spec, context).some(({ sees }) => sees)) return [];
    const plain = groups.find((group) => !('rules' in group.value));
    const right = plain
      ? fix('Send DNS through the proxy', add([...plain.path, 'rules'], DNS_RULES))
      : fix('Allow DNS through the proxy', add([...spec.path, 'egress', '-'], CLUSTER_DNS));
    return [
      {
        path: plain ? plain.path : [...first.path, 'toFQDNs'],
        ...(possibleGrants(spec, context).some(({ sees }) => sees) ? ELSEWHERE : {}),
        happens: `toFQDNs learns addresses only from DNS answers that pass Cilium's proxy, and no rule sends them there: ${plain ? 'no name is ever known' : 'names are not even resolved'}, so these destinations are DENIED.`,
        instead: 'Give the rule for port 53 the L7 part `rules: {dns: [{matchPattern: "*"}]}`.',
        fix: right,
      },
    ];
  }),
};

export const fqdnVoid: LintRule = {
  id: 'fqdn-void',
  severity: 'error',
  title: 'Ports without peers beside toFQDNs open them to everybody',
  check: perSpec((spec) => {
    const named = byName(allowsOf(spec));
    return allowsOf(spec)
      .filter((rule) => (admitsWorld(rule) || admitsMostOfWorld(rule)) && named.some((one) => sharePorts(one, rule)))
      .map((rule): Draft => {
        if (!admitsWorld(rule)) return mostOfWorld(rule);
        const bare = named.filter((one) => !limitsPorts(one));
        const movable = onlyPorts(rule) && (bare.length > 0 || named.length > 0);
        return {
          path: [...rule.path, ...(onlyPorts(rule) ? ['toPorts'] : [])],
          happens: 'This rule allows ANY destination on these ports: the list of names beside it restricts nothing.',
          instead: 'Put toPorts into the toFQDNs rule, and let no rule of its own open the same ports.',
          ...(movable
            ? {
                fix: fix(
                  'The ports into the rule with the names',
                  ...bare.map((one) => add([...one.path, 'toPorts'], rule.value['toPorts'])),
                  remove(rule.path),
                ),
              }
            : {}),
        };
      });
  }),
};

function mostOfWorld(rule: RuleView): Draft {
  return {
    path: rule.path,
    severity: 'warning',
    happens: 'This rule allows every address but those excepted on the same ports: outside of them the list of names restricts nothing.',
    instead: 'Leave this rule out, or name the addresses that are meant.',
  };
}

export const fqdnNotAsked: LintRule = {
  id: 'fqdn-not-asked',
  severity: 'warning',
  title: 'The DNS rules refuse a name that toFQDNs allows',
  check: perSpec((spec, context) => {
    const rules = allowsOf(spec);
    const groups = rules.flatMap(dnsGroups);
    const [first] = groups;
    // One rule for port 53 without names lets every name be asked for.
    const grants = grantsFor(spec, context);
    if (!first || context.dnsAllowed || !groups.every(hasDnsRules) || grants.some(({ names }) => names === undefined)) return [];
    const own = groups.flatMap(({ value }) => asList(asRecord(value['rules'])?.['dns']));
    const permitted = [...own, ...grants.flatMap(({ names }) => names ?? [])].map(asMatch);
    return byName(rules).flatMap((rule) =>
      records(rule, 'toFQDNs').flatMap(({ path, value }) => {
        const name = value['matchName'];
        if (typeof name !== 'string' || name === '' || permitted.some((match) => match(canonicalName(name)))) return [];
        return [
          {
            path: [...path, 'matchName'],
            happens: `No DNS rule of this policy permits asking for ${name}: unless another policy does, the proxy refuses the question, so its address is never known and it is DENIED.`,
            instead: 'Permit the name in `rules.dns` of port 53 as well.',
            fix: fix('Permit the question', add([...first.path, 'rules', 'dns', '-'], { matchName: name })),
          },
        ];
      }),
    );
  }),
};

function asMatch(entry: unknown): (name: string) => boolean {
  const { matchName, matchPattern } = asRecord(entry) ?? {};
  const [name, pattern] = [typeof matchName === 'string' ? matchName : '', typeof matchPattern === 'string' ? matchPattern : ''];
  // What is no name at all is refused elsewhere, with the whole policy.
  return dnsNameError(name) || dnsPatternError(pattern) ? () => true : dnsRuleMatch(name, pattern);
}

function onlyPorts(rule: RuleView): boolean {
  return Object.keys(rule.value).every((key) => key === 'toPorts');
}

/** Port 53 may be open: names have to be asked for somewhere. */
function sharePorts(named: RuleView, open: RuleView): boolean {
  const spans = portsOf(open).flatMap(({ value }) => spanOf(value) ?? []);
  const others = spans.filter(({ from, to }) => from !== 53 || to !== 53);
  if (!limitsPorts(open)) return items(open, 'icmps').length === 0;
  if (!limitsPorts(named)) return others.length > 0;
  return records(named, 'toPorts').some((group) => groupSpans(group).some((span) => others.some((other) => overlap(span, other))));
}

export const egressWithoutDns: LintRule = {
  id: 'egress-without-dns',
  severity: 'warning',
  title: 'Egress is closed and DNS with it',
  check: perSpec((spec, context) => {
    const rules = allowsOf(spec);
    const closed = deniesByDefault(spec, 'egress') && spec.value['nodeSelector'] === undefined && !selectsReserved(spec);
    if (!closed || context.dnsAllowed || context.dnsVisible || rules.some(admitsDns)) return [];
    if (grantsFor(spec, context).length > 0) return [];
    // Rules that deny alone, and names without the proxy, have a rule of their own that says more.
    if (rules.length === 0 || byName(rules).length > 0) return [];
    return [
      {
        path: [...spec.path, 'egress'],
        ...(possibleGrants(spec, context).length > 0 ? { severity: 'note' as const } : {}),
        happens:
          'Egress is denied by default and no rule allows DNS: unless another policy does, these pods resolve no name at all, cluster Services included.',
        instead: 'Allow port 53 to the cluster DNS.',
        fix: fix('Allow the cluster DNS', add([...spec.path, 'egress', '-'], CLUSTER_DNS)),
      },
    ];
  }),
};

/** Whether the rule lets these pods ask for names. */
export function admitsDns(rule: RuleView): boolean {
  // Whoever writes port 53 means DNS, wherever it runs (a node's cache has an address of its own).
  if (dnsGroups(rule).length > 0) return true;
  if (!admitsPort(rule, 53, 'UDP')) return false;
  if (entities(rule).some((one) => ['all', 'cluster'].includes(String(one).toLowerCase()))) return true;
  const peers = records(rule, member(rule, 'Endpoints'));
  if (peers.some(({ value }) => rule.spec.policy.clusterwide || namesNamespace(value))) return true;
  return limitsPorts(rule) && admitsWorld(rule);
}
