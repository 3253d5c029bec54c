// What people believe in, and no server or engine knows.
import { type BrokenDocument, egress, fromFrontend, http, policy } from './build.ts';

export const BELIEVED: readonly BrokenDocument[] = [
  {
    rule: 'http-action',
    text: http(`
- {method: GET, path: "/api/.*"}
# the way in for operators
- method: GET
  path: /admin
  action: DENY # here`),
    happens: /ALLOWS GET \/admin/,
  },
  { rule: 'http-action', text: http('- {method: GET, path: /, action: ALLOW} # here'), happens: /every HTTP rule allows/ },
  {
    rule: 'policy-enforcement',
    text: policy(`
policyEnforcement: false # here
ingress:
  - fromEndpoints: [{matchLabels: {app: frontend}}]`),
    happens: /enforced at once/,
  },
  {
    rule: 'grpc-rules',
    text: fromFrontend(`
- ports: [{port: "9090", protocol: TCP}]
  rules:
    grpc: # here
      - service: user.UserService
        method: GetUser`),
    happens: /refuses the empty `rules`/,
  },
  {
    rule: 'kafka-rules',
    text: fromFrontend(`
- ports: [{port: "9092", protocol: TCP}]
  rules:
    kafka: # here
      - apiKey: consume
        topic: "admin-.*"
        action: DENY`),
    happens: /removed in Cilium 1\.20/,
  },
  {
    rule: 'namespace-selector',
    text: policy(`
ingress:
  - fromEndpoints:
      - namespaceSelector: # here
          matchLabels:
            kubernetes.io/metadata.name: frontend
            team: web
        matchLabels:
          app: frontend`),
    happens: /own namespace only/,
  },
  {
    rule: 'namespace-selector',
    text: policy(
      `
ingress:
  - fromEndpoints:
      - namespaceSelector: {} # here
        podSelector:
          matchLabels: {app: frontend}`,
      'CiliumClusterwideNetworkPolicy',
    ),
    happens: /every namespace/,
  },
  { rule: 'empty-sections', text: policy('ingress: [] # here\negress: []'), happens: /nothing is denied at all/ },
  {
    rule: 'from-services',
    text: policy(`
ingress:
  - fromServices: [{k8sService: {serviceName: frontend}}] # here
    toPorts: [{ports: [{port: "8080", protocol: TCP}]}]`),
    happens: /EVERYBODY/,
    right: fromFrontend('- ports: [{port: "8080", protocol: TCP}]'),
  },
  {
    rule: 'fqdn-without-dns',
    text: policy(`
egress:
  - toFQDNs: [{matchName: api.example.com}]
    toPorts: [{ports: [{port: "443", protocol: TCP}]}]
  - toEndpoints:
      - matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}
    toPorts:
      - ports: [{port: "53", protocol: UDP}] # here`),
    happens: /DENIED/,
  },
  {
    rule: 'fqdn-without-dns',
    text: policy(`
egress:
  - toFQDNs: [{matchName: api.example.com}] # here`),
    happens: /not even resolved/,
  },
  {
    rule: 'fqdn-not-asked',
    text: policy(`
egress:
  - toEntities: [cluster]
    toPorts:
      - ports: [{port: "53", protocol: UDP}]
        rules: {dns: [{matchPattern: "*.internal.example.com"}]}
  - toFQDNs:
      - matchName: db.internal.example.com
      - matchName: api.example.com # here`),
    happens: /refuses the question/,
  },
  {
    rule: 'fqdn-void',
    text: egress(`
- toFQDNs: [{matchName: api.example.com}]
- toPorts: # here
    - ports: [{port: "443", protocol: TCP}]`),
    happens: /ANY destination/,
  },
  {
    rule: 'priority-annotation',
    text: policy('ingress: [{}]').replace(
      '  namespace: backend',
      '  namespace: backend\n  annotations:\n    policy.cilium.io/priority: "10" # here\n    example.com/owner: mesh',
    ),
    happens: /Nothing reads/,
  },
  {
    rule: 'audit-annotation',
    text: policy('ingress: [{}]').replace(
      '  namespace: backend',
      '  namespace: backend\n  annotations: {policy.cilium.io/audit-mode: "true"} # here',
    ),
    happens: /enforced at once/,
  },
  { rule: 'header-literal', text: http('- headers:\n    - "Authorization: Bearer .*" # here'), happens: /character by character/ },
  { rule: 'header-no-space', text: http('- headers: ["X-Token:abc"] # here'), happens: /NAME is `X-Token:abc`/ },
  {
    rule: 'deny-l7',
    text: policy(`
ingressDeny:
  - fromEndpoints: [{matchLabels: {app: frontend}}]
    toPorts:
      - ports: [{port: "8080", protocol: TCP}]
        rules: {http: [{path: /admin}]} # here
ingress: [{fromEntities: [cluster]}]`),
    happens: /whole port is denied/,
    right: http('- path: /api'),
  },
  {
    rule: 'requires',
    text: policy('ingress:\n  - fromRequires: ["team=web"] # here\n    fromEndpoints: [{matchLabels: {app: frontend}}]'),
    happens: /never reads it/,
  },
];
