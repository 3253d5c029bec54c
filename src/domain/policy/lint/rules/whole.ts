// What shows only where the parts of a policy are seen together.
import { entities, includesPeers, member, namedPeers, namesNobody } from '../peers.ts';
import { covers, dnsGroups, groupSpans, limitsPorts } from '../ports.ts';
import { type Draft, type LintRule, perSpec } from '../rule.ts';
import { asList, asRecord, deniesByDefault, items, type RuleView, records, type SpecView } from '../view.ts';

export const clusterwideNamespace: LintRule = {
  id: 'clusterwide-namespace',
  severity: 'error',
  title: 'A clusterwide policy has no namespace: it holds everywhere',
  check: (policy) => {
    const namespace = asRecord(policy.value['metadata'])?.['namespace'];
    if (!policy.clusterwide || typeof namespace !== 'string' || namespace === '') return [];
    return [
      {
        path: [...policy.path, 'metadata', 'namespace'],
        happens: `The server clears the namespace of this kind: the policy holds for matching pods of EVERY namespace, not only of \`${namespace}\`.`,
        instead: 'For one namespace write a CiliumNetworkPolicy; for all of them leave the namespace out.',
      },
    ];
  },
};

export const clusterwideDefaultDeny: LintRule = {
  id: 'clusterwide-default-deny',
  severity: 'warning',
  title: 'A default deny for everything takes kube-system and the health endpoints with it',
  check: perSpec((spec) => {
    const selector = asRecord(spec.value['endpointSelector']);
    const selectsAll = selector && Object.values(selector).every((one) => Object.keys(asRecord(one) ?? asList(one)).length === 0);
    if (!spec.policy.clusterwide || !selectsAll) return [];
    const closed = (['ingress', 'egress'] as const).filter(
      (direction) =>
        deniesByDefault(spec, direction) &&
        spec.rules.filter((rule) => rule.direction === direction).every((rule) => rule.deny || Object.keys(rule.value).length === 0),
    );
    if (closed.length === 0) return [];
    return [
      {
        path: [...spec.path, 'endpointSelector'],
        happens: `This denies all ${closed.join(' and ')} of every pod in every namespace: the cluster's DNS and the rest of kube-system, and Cilium's own health endpoints among them.`,
        instead:
          'Leave kube-system out (`matchExpressions: [{key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [kube-system]}]`), and allow `reserved:health` and DNS in policies of their own first.',
      },
    ];
  }),
};

export const denyCoversAllow: LintRule = {
  id: 'deny-covers-allow',
  severity: 'warning',
  title: 'A deny rule takes everything away that another rule allows',
  check: perSpec((spec) => {
    const denies = spec.rules.filter(({ deny }) => deny);
    return spec.rules
      .filter(({ deny }) => !deny)
      .flatMap((allow): readonly Draft[] => {
        const over = denies.find((deny) => deny.direction === allow.direction && deniesPeers(deny, allow) && deniesPorts(deny, allow));
        if (!over) return [];
        return [
          {
            path: allow.path,
            happens: `\`${String(over.path.at(-2))}\` rule ${Number(over.path.at(-1)) + 1} denies all of this, and a deny wins over every allow: the rule allows nothing.`,
            instead: 'Narrow the deny rule, or leave this rule out.',
          },
        ];
      });
  }),
};

const OUTSIDE = ['CIDR', 'CIDRSet', 'FQDNs'];

function deniesPeers(deny: RuleView, allow: RuleView): boolean {
  const peers = namedPeers(allow);
  if (peers.nobody || peers.anybody) return includesPeers(namedPeers(deny), peers);
  if (includesPeers(namedPeers(deny), peers)) return true;
  const names = ['Endpoints', 'CIDR', 'CIDRSet', 'Entities', 'Nodes', 'FQDNs', 'Services', 'Groups'].filter(
    (name) => items(allow, member(allow, name)).length > 0,
  );
  const denied = entities(deny);
  if (denied.includes('all')) return true;
  const allPods = records(allow, member(allow, 'Endpoints')).every(({ value }) => !JSON.stringify(value).includes('"reserved:'));
  if (denied.includes('cluster') && names.every((name) => name === 'Endpoints')) return allPods;
  return denied.includes('world') && names.length > 0 && names.every((name) => OUTSIDE.includes(name));
}

function deniesPorts(deny: RuleView, allow: RuleView): boolean {
  if (!limitsPorts(deny)) return items(deny, 'icmps').length === 0;
  if (!limitsPorts(allow) || items(allow, 'icmps').length > 0) return false;
  const denied = records(deny, 'toPorts').flatMap(groupSpans);
  const groups = records(allow, 'toPorts');
  const spans = groups.flatMap(groupSpans);
  const ports = groups.flatMap((group) => records(group, 'ports')).length;
  return spans.length === ports && spans.length > 0 && spans.every((span) => denied.some((one) => covers(one, span)));
}

export const splitRule: LintRule = {
  id: 'split-rule',
  severity: 'warning',
  title: 'Peers and ports in two rules are two permissions, not one',
  check: perSpec((spec) =>
    spec.rules.flatMap((rule, index): readonly Draft[] => {
      const before = spec.rules[index - 1];
      const isSplit = before && before.path.at(-2) === rule.path.at(-2) && onlyPeers(before) && !rule.deny && onlyPorts(rule);
      // Ports beside names have a rule of their own that says more.
      if (!isSplit || asList(before.value['toFQDNs']).length > 0 || !deniesByDefault(spec, rule.direction)) return [];
      // DNS for everybody is a rule of its own, and beside peers that are everybody nothing is split.
      if (dnsGroups(rule).length > 0 || namedPeers(before).anybody) return [];
      const everybody = rule.direction === 'ingress' ? 'EVERYBODY may reach these ports' : 'these pods may reach ANYBODY on these ports';
      return [
        {
          path: rule.path,
          happens: `The dash before \`toPorts\` begins a rule of its own: the peers above may use every port, and ${everybody}, the world included.`,
          instead:
            'If only those peers and only these ports are meant, take the dash away, so that both are one rule. If both are meant, all is well.',
        },
      ];
    }),
  ),
};

function onlyPeers(rule: RuleView): boolean {
  return !limitsPorts(rule) && items(rule, 'icmps').length === 0 && !namesNobody(rule);
}

function onlyPorts(rule: RuleView): boolean {
  return Object.keys(rule.value).every((key) => key === 'toPorts') && limitsPorts(rule);
}

/** For a spec, the labels of whose subject are reserved: it selects no pod. */
export function selectsReserved(spec: SpecView): boolean {
  const selector = asRecord(spec.value['endpointSelector']);
  const labels = Object.keys(asRecord(selector?.['matchLabels']) ?? {});
  const keys = asList(selector?.['matchExpressions']).map((one) => String(asRecord(one)?.['key']));
  return [...labels, ...keys].some((key) => key.startsWith('reserved:'));
}
