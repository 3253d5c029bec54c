// Policies of kinds that were found in the field. What is right was decided by Cilium's engine, the CRD's schema or Cilium's documentation.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { lintTexts } from '../../src/documents/lint.ts';
import type { Finding } from '../../src/domain/policy/lint/finding.ts';
import { edited } from '../domain/policy/lint/edited.ts';

const CASES = new URL('../cases/policy/check/', import.meta.url);
const text = (name: string): string => readFileSync(new URL(`${name}.yaml`, CASES), 'utf8');
const found = (name: string): readonly Finding[] => lintTexts([{ file: `${name}.yaml`, text: text(name) }]).findings;
const said = (findings: readonly Finding[]): readonly string[] => findings.map(({ rule, severity }) => `${severity} ${rule}`);

/** Each must say just this. */
const SPEAKS: Readonly<Record<string, readonly string[]>> = {
  glob_path: ['error http-glob'],
  glob_host: ['error http-host'],
  method_lower: ['error http-method'],
  path_noslash: ['error http-path'],
  dns_target_wrong_label: ['error dns-peer'],
  dns_empty_rule: ['error dns-empty'],
  fqdn_cluster_name: ['error fqdn-cluster'],
  subject_any_namespace: ['error selector-namespace'],
  kube_metadata_name: ['error namespace-label'],
  kind_ccnp_ns: ['error clusterwide-namespace'],
  split_dash_ingress: ['warning split-rule'],
  split_dash_apiserver: ['warning egress-without-dns', 'warning split-rule'],
  deny_and_allow_conflict: ['warning deny-covers-allow'],
  fqdn_void_except: ['warning fqdn-void'],
  protocol_lower: ['error schema'],
  auth_mode: ['error schema'],
  label_on: ['error schema'],
  ccnp_default_deny_all: ['warning clusterwide-default-deny', 'warning egress-without-dns'],
  http_on_tls: ['warning http-on-tls'],
  podselector_subject: ['error unknown-field'],
  from_copy: ['error copied-rule'],
  egress_all_entities_typo: ['error schema'],
  port_range_dash: ['error port-range'],
  'star-description': ['note unknown-field'],
};
const SILENT = [
  'multi_ok',
  'openshift_dns',
  'header_literal_paren',
  'anchor',
  'dns-visibility',
  'enable_default_deny_str',
  'flux',
  'health_ccnp',
];

test('every case is told', () => {
  const names = readdirSync(CASES).map((name) => name.replace('.yaml', ''));
  expect(names.toSorted()).toEqual([...Object.keys(SPEAKS), ...SILENT, 'apply-time'].toSorted());
});

test.each(Object.entries(SPEAKS))('%s: %s', (name, expected) => {
  expect(said(found(name))).toEqual(expected);
});

test.each(SILENT)('%s: nothing', (name) => {
  expect(said(found(name))).toEqual([]);
});

describe('what stands in another document of the run', () => {
  const dns = `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: dns, namespace: shop}
spec:
  endpointSelector: {}
  egress: [{toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}}], toPorts: [{ports: [{port: "53", protocol: ANY}]}]}]`;
  const kubernetes = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}`;
  const alone = said(found('apply-time'));

  it('is not missed: DNS of a Cilium policy, of a NetworkPolicy, of one that is in force', () => {
    expect(alone).toContain('warning egress-without-dns');
    for (const other of [dns, kubernetes]) {
      const together = lintTexts([
        { file: 'a.yaml', text: text('apply-time') },
        { file: 'b.yaml', text: other },
      ]);
      expect(said(together.findings)).not.toContain('warning egress-without-dns');
      expect(together.policies).toBe(2);
      expect(said(lintTexts([{ text: text('apply-time') }], { inForce: [{ text: other }] }).findings)).not.toContain(
        'warning egress-without-dns',
      );
    }
  });
  it('is missed where it is for another namespace, or for other pods', () => {
    for (const other of [
      dns.replace('namespace: shop', 'namespace: billing'),
      dns.replace('endpointSelector: {}', 'endpointSelector: {matchLabels: {app: web}}'),
    ]) {
      expect(said(lintTexts([{ text: text('apply-time') }, { text: other }]).findings)).toContain('warning egress-without-dns');
    }
  });
});

describe('the words help', () => {
  const words = (name: string): string =>
    found(name)
      .map(({ happens, instead }) => `${happens} ${instead}`)
      .join(' ');
  it.each([
    ['egress_all_entities_typo', '`cluster`'],
    ['port_range_dash', 'endPort: 3010'],
    ['auth_mode', '`required`'],
    ['label_on', 'boolean'],
    ['podselector_subject', '`endpointSelector`'],
    ['from_copy', 'toPorts'],
    ['split_dash_ingress', 'If both are meant, all is well'],
  ])('%s: %s', (name, piece) => expect(words(name)).toContain(piece));

  it('a placeholder is counted as not checked', () => {
    expect(lintTexts([{ text: text('flux') }])).toMatchObject({ findings: [], placeholders: 1, policies: 1 });
  });
});

describe('advice', () => {
  const fixed = (name: string): string => {
    const [edit] = found(name).flatMap(({ fix }) => fix?.edit ?? []);
    return edit ? edited(text(name), edit) : '';
  };
  it('for podSelector is the selector of pods, not of nodes', () => {
    expect(fixed('podselector_subject')).toContain('  endpointSelector:');
    expect(fixed('podselector_subject')).not.toContain('nodeSelector');
  });
  it('for a copied rule keeps its ports and its peers', () => {
    expect(parse(fixed('from_copy'))).toMatchObject({
      spec: { ingress: [{ fromEndpoints: [{ matchLabels: { app: 'web' } }], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] }] },
    });
  });
  it('for a boolean is the word that was written', () => expect(fixed('label_on')).toContain('tls: "on"'));

  it.each(Object.keys(SPEAKS))('%s: what it offers leaves no error that was not there', (name) => {
    for (const { fix, rule } of found(name)) {
      if (!fix?.edit) continue;
      const after = lintTexts([{ text: edited(text(name), fix.edit) }]).findings.filter(({ severity }) => severity === 'error');
      expect(
        after.map((one) => one.rule),
        edited(text(name), fix.edit),
      ).not.toContain(rule);
      expect(after.length).toBeLessThanOrEqual(found(name).filter(({ severity }) => severity === 'error').length);
    }
  });
});

test('apply-time: a setting of the cluster is not known, so it is no error', () => {
  expect(said(found('apply-time'))).toEqual(['warning egress-without-dns', 'warning needs-setting']);
});

describe('more of the same kinds', () => {
  const changed = (name: string, from: string, to: string): readonly string[] => {
    expect(text(name)).toContain(from);
    return said(lintTexts([{ text: text(name).replace(from, to) }]).findings);
  };
  it.each([
    ['glob_path', '"/api/*"', '"/v*/items"', ['error http-glob']],
    ['glob_path', '"/api/*"', '"/static/**"', ['error http-glob']],
    ['glob_path', '"/api/*"', '"*"', ['error http-glob']],
    ['glob_path', '"/api/*"', '"/api/[a-z]*/[0-9]*"', []],
    ['glob_path', '"/api/*"', "'/api/\\d*'", []],
    ['glob_host', '"*.example.org"', '"https://api.example.org"', ['error http-host']],
    ['glob_host', '"*.example.org"', '"api.example.org"', []],
    ['method_lower', 'get', '"GET,POST"', ['error http-method']],
    ['method_lower', 'get', '"*"', ['error http-method']],
    ['method_lower', 'get', '"GET|POST"', []],
    ['path_noslash', '"api/v1/items"', '"^api/.*"', ['error http-path']],
    ['path_noslash', '"api/v1/items"', '".*/items"', []],
    ['dns_target_wrong_label', '{k8s-app: kube-dns}', '{namespace: kube-system, k8s-app: kube-dns}', ['error dns-peer']],
    [
      'dns_target_wrong_label',
      '{k8s-app: kube-dns}',
      '{k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: coredns}',
      ['note dns-label'],
    ],
    ['dns_target_wrong_label', '{k8s-app: kube-dns}', '{k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}', []],
    ['fqdn_cluster_name', 'orders.shop.svc.cluster.local', 'orders.shop.svc', ['error fqdn-cluster']],
    ['fqdn_cluster_name', 'orders.shop.svc.cluster.local', 'orders.example.org', []],
    ['kind_ccnp_ns', 'namespace: shop', 'labels: {team: shop}', []],
    ['auth_mode', 'mutual', 'required', []],
    ['protocol_lower', 'tcp', 'TCP', []],
    ['label_on', 'tls: on', 'tls: "on"', []],
    ['label_on', 'tls: on', 'tls: 1', ['error schema']],
    ['deny_and_allow_conflict', '[cluster]', '[all]', ['warning deny-covers-allow']],
    ['deny_and_allow_conflict', '[cluster]', '[world]', []],
    ['http_on_tls', '"443"', '"80"', []],
    ['header_literal_paren', 'probe/1.2 (linux)', 'Mozilla/5.0 (X11; Linux x86_64)', []],
    ['header_literal_paren', 'probe/1.2 (linux)', 'probe/.*', ['error header-literal']],
    ['openshift_dns', '"5353"', 'dns', []],
    ['enable_default_deny_str', 'ingress: no', 'ingress: Off', []],
    ['enable_default_deny_str', 'ingress: no', 'ingress: "no"', ['error schema']],
    ['flux', '${APP:=web}', '{{ .Values.app }}', []],
    ['flux', '${APP:=web}', '$(APP)', []],
    ['flux', '"8080"', '${PORT}', []],
    ['health_ccnp', 'reserved:health', 'reserved:ingress', []],
  ] as const)('%s: %s → %s', (name, from, to, expected) => expect(changed(name, from, to)).toEqual(expected));

  it('a subject by an expression that leaves its own namespace out', () => {
    const labels = '    matchLabels:\n      app: api\n      io.kubernetes.pod.namespace: billing\n';
    const by = (operator: string, value: string): readonly string[] =>
      changed(
        'subject_any_namespace',
        labels,
        `    matchExpressions: [{key: io.kubernetes.pod.namespace, operator: ${operator}, values: [${value}]}]\n`,
      );
    expect(by('In', 'billing')).toEqual(['error selector-namespace']);
    expect(by('NotIn', 'shop')).toEqual(['error selector-namespace']);
    expect(by('In', 'shop')).toEqual([]);
  });
});
