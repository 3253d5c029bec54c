// Who answers DNS, and what DNS rules permit.
import { member, namesNamespace } from '../peers.ts';
import { dnsGroups } from '../ports.ts';
import { add, type Draft, fix, type LintRule, perGroup, perRule, replace } from '../rule.ts';
import { asRecord, child, type Raw, records } from '../view.ts';

const NAMESPACE = 'k8s:io.kubernetes.pod.namespace';

export const dnsEmpty: LintRule = {
  id: 'dns-empty',
  severity: 'error',
  title: 'An empty DNS rule permits no name',
  check: perGroup((group) => {
    const rules = child(group, 'rules');
    const all = rules ? records(rules, 'dns') : [];
    const isEmpty = ({ value }: { readonly value: Raw }): boolean => !value['matchName'] && !value['matchPattern'];
    return all.filter(isEmpty).map((entry) => ({
      path: entry.path,
      happens: `A DNS rule without a name matches nothing${all.every(isEmpty) ? ': every question on this port is refused' : ''}.`,
      instead: 'Every name: `matchPattern: "*"`.',
      ...(all.length === 1 ? { fix: fix('Permit every name', replace(entry.path, { matchPattern: '*' })) } : {}),
    }));
  }),
};

const CLUSTER_NAME = /\.(svc|cluster\.local|svc\.[\w.-]+)\.?$/;

export const fqdnCluster: LintRule = {
  id: 'fqdn-cluster',
  severity: 'error',
  title: 'toFQDNs never speaks of pods and Services',
  check: perRule((rule) =>
    records(rule, 'toFQDNs').flatMap(({ path, value }) =>
      ['matchName', 'matchPattern'].flatMap((key): readonly Draft[] => {
        const name = value[key];
        if (typeof name !== 'string' || !CLUSTER_NAME.test(name)) return [];
        return [
          {
            path: [...path, key],
            happens: `${name} is a name inside the cluster. toFQDNs matches addresses outside only; pods are known by their labels, so this allows nothing.`,
            instead: 'Name the pods behind it: `toEndpoints` with their labels and namespace.',
          },
        ];
      }),
    ),
  ),
};

/** Labels of the DNS servers that Kubernetes' installers use. */
const DNS_LABELS: readonly unknown[] = ['kube-dns', 'coredns', 'node-local-dns'];
/** Under the key `k8s-app`; the pods of CoreDNS have kept the older name. */
const USUAL: readonly unknown[] = ['kube-dns', 'node-local-dns'];
const APP_KEYS = ['k8s-app', 'k8s:k8s-app', 'any:k8s-app', 'app', 'k8s:app', 'app.kubernetes.io/name', 'k8s:app.kubernetes.io/name'];

export const dnsPeer: LintRule = {
  id: 'dns-peer',
  severity: 'error',
  title: "The cluster's DNS is in another namespace than the policy",
  check: perRule((rule) => {
    const { clusterwide, namespace } = rule.spec.policy;
    if (rule.direction !== 'egress' || rule.deny || clusterwide || namespace === 'kube-system' || dnsGroups(rule).length === 0) return [];
    return records(rule, member(rule, 'Endpoints')).flatMap((peer): readonly Draft[] => {
      const labels = child(peer, 'matchLabels');
      const isDns = APP_KEYS.some((key) => DNS_LABELS.includes(labels?.value[key]));
      if (!labels || !isDns || namesNamespace(peer.value)) return [];
      return [
        {
          path: labels.path,
          // Where the namespace is left to the client, it may be the right one.
          ...(namespace === undefined ? { severity: 'warning' } : {}),
          happens: `Without a namespace this means pods of ${namespace === undefined ? "the policy's own namespace" : `\`${namespace}\``}, and the cluster's DNS is not there: these pods resolve no name by this rule.`,
          instead: `Add \`${NAMESPACE}: kube-system\`, or the namespace where DNS runs.`,
          fix: fix('The DNS of kube-system', add([...labels.path, NAMESPACE], 'kube-system')),
        },
      ];
    });
  }),
};

export const dnsLabel: LintRule = {
  id: 'dns-label',
  severity: 'note',
  title: "The cluster's DNS usually has the label k8s-app: kube-dns",
  check: perRule((rule) => {
    if (rule.direction !== 'egress' || rule.deny || dnsGroups(rule).length === 0) return [];
    return records(rule, member(rule, 'Endpoints')).flatMap((peer): readonly Draft[] => {
      const labels = asRecord(peer.value['matchLabels']) ?? {};
      const inSystem = Object.entries(labels).some(
        ([key, value]) => key.endsWith('io.kubernetes.pod.namespace') && value === 'kube-system',
      );
      const named = Object.keys(labels).filter((key) => !key.endsWith('io.kubernetes.pod.namespace'));
      const app = named.find((key) => /(^|:)k8s-app$/.test(key));
      const isUsual = app === undefined ? named.some((key) => DNS_LABELS.includes(labels[key])) : USUAL.includes(labels[app]);
      if (!inSystem || named.length === 0 || isUsual) return [];
      return [
        {
          path: [...peer.path, 'matchLabels'],
          happens: `Whether the DNS of this cluster has ${named.map((key) => `\`${key}: ${String(labels[key])}\``).join(', ')} is not known; most installers give it \`k8s-app: kube-dns\`.`,
          instead: 'Compare with `kubectl get pods -n kube-system --show-labels`.',
        },
      ];
    });
  }),
};
