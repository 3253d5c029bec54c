// What other people's files had.
import { type BrokenDocument, egress, http, policy } from './build.ts';

function kubernetes(spec: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: backend, namespace: backend}
spec:
  podSelector: {matchLabels: {app: backend}}
${spec}
`;
}

export const FIELD: readonly BrokenDocument[] = [
  { rule: 'http-glob', text: http('- path: /api/* # here'), happens: /any number of slashes/ },
  { rule: 'http-host', text: http('- host: "*.example.org" # here'), happens: /matches no request/ },
  { rule: 'http-method', text: http('- method: get # here'), happens: /no client sends/ },
  { rule: 'http-path', text: http('- path: api/v1 # here'), happens: /begins with a slash/ },
  {
    rule: 'http-on-tls',
    text: egress(
      '- toFQDNs: [{matchName: api.example.org}]\n  toPorts:\n    - ports: [{port: "443", protocol: TCP}]\n      rules:\n        http: [{path: "/v1/.*"}] # here',
    ),
    happens: /carries TLS/,
    right: egress('- toFQDNs: [{matchName: api.example.org}]\n  toPorts:\n    - ports: [{port: "443", protocol: TCP}]'),
  },
  {
    rule: 'dns-empty',
    text: policy(
      'egress:\n  - toEntities: [all]\n    toPorts:\n      - ports: [{port: "53", protocol: UDP}]\n        rules:\n          dns:\n            - {} # here',
    ),
    happens: /every question on this port is refused/,
  },
  {
    rule: 'dns-peer',
    text: policy(
      'egress:\n  - toEndpoints:\n      - matchLabels: # here\n          k8s-app: kube-dns\n    toPorts: [{ports: [{port: "53", protocol: ANY}]}]',
    ),
    happens: /the cluster's DNS is not there/,
  },
  {
    rule: 'dns-label',
    text: policy(
      'egress:\n  - toEndpoints:\n      - matchLabels: # here\n          k8s:io.kubernetes.pod.namespace: kube-system\n          app: dns\n    toPorts: [{ports: [{port: "53", protocol: ANY}]}]',
    ),
    happens: /is not known/,
    right: egress('- toEntities: [cluster]'),
  },
  {
    rule: 'fqdn-cluster',
    text: egress('- toFQDNs:\n    - matchName: db.database.svc.cluster.local # here'),
    happens: /allows nothing/,
    right: egress('- toEndpoints: [{matchLabels: {app: db}}]'),
  },
  {
    rule: 'namespace-label',
    text: policy('ingress:\n  - fromEndpoints:\n      - matchLabels:\n          kubernetes.io/metadata.name: frontend # here'),
    happens: /No pod has it/,
  },
  {
    rule: 'port-range',
    text: policy('ingress:\n  - toPorts:\n      - ports:\n          - port: 3000-3010 # here\n            protocol: TCP'),
    happens: /refuses the whole policy/,
  },
  {
    rule: 'needs-setting',
    text: egress('- toPorts:\n    - ports:\n        - protocol: VRRP # here'),
    happens: /enable-extended-ip-protocols/,
    right: egress('- toEntities: [cluster]'),
  },
  {
    rule: 'needs-setting',
    text: policy('ingress:\n  - fromNodes:\n      - matchLabels: {role: worker} # here'),
    happens: /enable-node-selector-labels/,
    right: policy('ingress:\n  - fromEntities: [remote-node]'),
  },
  {
    rule: 'clusterwide-namespace',
    text: policy('ingress: [{}]', 'CiliumClusterwideNetworkPolicy').replace('name: backend', 'name: backend\n  namespace: shop # here'),
    happens: /EVERY namespace/,
    right: policy('ingress: [{}]', 'CiliumClusterwideNetworkPolicy'),
  },
  {
    rule: 'clusterwide-default-deny',
    text: policy('ingress: [{}]', 'CiliumClusterwideNetworkPolicy').replace(
      'endpointSelector:\n    matchLabels:\n      app: backend',
      'endpointSelector: {} # here',
    ),
    happens: /kube-system/,
    right: policy('ingress: [{}]', 'CiliumClusterwideNetworkPolicy'),
  },
  {
    rule: 'deny-covers-allow',
    text: policy('ingressDeny:\n  - fromEntities: [cluster]\ningress:\n  - fromEndpoints: [{matchLabels: {app: web}}] # here'),
    happens: /a deny wins/,
    right: policy('ingressDeny:\n  - fromEntities: [world]\ningress:\n  - fromEndpoints: [{matchLabels: {app: web}}]'),
  },
  {
    rule: 'split-rule',
    text: policy('ingress:\n  - fromEndpoints: [{matchLabels: {app: web}}]\n  - toPorts: [{ports: [{port: "80", protocol: TCP}]}] # here'),
    happens: /EVERYBODY may reach these ports/,
    right: policy('ingress:\n  - fromEndpoints: [{matchLabels: {app: web}}]\n    toPorts: [{ports: [{port: "80", protocol: TCP}]}]'),
  },
  {
    rule: 'copied-rule',
    text: policy('ingress:\n  - from: # here\n      - podSelector: {matchLabels: {app: web}}\n    ports:\n      - port: 8080'),
    happens: /without its ports and peers/,
  },
  {
    rule: 'schema',
    text: policy('ingress:\n  - toPorts:\n      - ports: [{port: 443}] # here'),
    happens: /Types do not fit/,
  },
  { rule: 'schema', text: policy('ingress:\n  - fromEntities: [Cluster] # here'), happens: /none of all, world/ },
  {
    rule: 'ignored-direction',
    text: kubernetes('  policyTypes: [Ingress]\n  egress: [{to: [{podSelector: {}}], ports: [{port: 53}]}] # here'),
    happens: /do nothing/,
  },
  {
    rule: 'split-peer',
    text: kubernetes(
      '  ingress:\n    - from:\n        - namespaceSelector: {matchLabels: {team: web}}\n        - podSelector: {matchLabels: {app: web}} # here',
    ),
    happens: /besides them/,
    right: kubernetes(
      '  ingress:\n    - from:\n        - namespaceSelector: {matchLabels: {team: web}}\n          podSelector: {matchLabels: {app: web}}',
    ),
  },
];
