// What shows only in the policy as a whole.
import { type BrokenDocument, http, policy } from './build.ts';

export const WHOLE: readonly BrokenDocument[] = [
  {
    rule: 'default-allow-l7',
    text: http('- path: /api')
      .replace('  ingress:', '  enableDefaultDeny: {ingress: false}\n  ingress:')
      .replace('rules:', 'rules: # here'),
    happens: /refuse nothing/,
    right: http('- path: /api'),
  },
  {
    rule: 'http-widened',
    text: policy(`
ingress:
  - fromEndpoints: [{matchLabels: {app: frontend}}]
    toPorts:
      - ports: [{port: "8080", protocol: TCP}]
        rules:
          http: [{path: /api}] # here
  - fromEndpoints: [{matchLabels: {app: frontend}}]
    toPorts: [{ports: [{port: "8000", endPort: 9000, protocol: TCP}]}]`),
    happens: /EVERY request/,
    right: http('- path: /api'),
  },
  {
    rule: 'http-widened',
    text: policy(`
ingress:
  - fromEndpoints: [{}]
  - fromEndpoints: [{matchLabels: {app: frontend}}]
    toPorts:
      - ports: [{port: "8080", protocol: TCP}]
        rules:
          http: [{path: /api}] # here`),
    happens: /ingress rule 1 lets EVERY request/,
    right: http('- path: /api'),
  },
  {
    rule: 'dns-widened',
    text: policy(`
egress:
  - toEntities: [all]
    toPorts:
      - ports: [{port: "53", protocol: UDP}]
        rules:
          dns: [{matchPattern: "*.example.com"}] # here
  - toPorts: [{ports: [{port: "53", protocol: UDP}]}]`),
    happens: /every name/,
    right: policy(`
egress:
  - toEntities: [all]
    toPorts:
      - ports: [{port: "53", protocol: UDP}]
        rules:
          dns: [{matchPattern: "*.example.com"}]
  - toPorts: [{ports: [{port: "1", endPort: 100, protocol: UDP}]}]`),
  },
  {
    rule: 'header-mismatch',
    text: http('- headerMatches:\n    - {name: X-Role, value: admin, mismatch: LOG} # here'),
    happens: /let through/,
    right: http('- headerMatches:\n    - {name: X-Role, value: admin}'),
  },
  {
    rule: 'egress-without-dns',
    text: policy('egress: # here\n  - toEndpoints: [{matchLabels: {app: db}}]'),
    happens: /resolve no name/,
  },
  {
    rule: 'gateway-kept-out',
    text: policy('ingress: # here\n  - fromEndpoints: [{matchLabels: {app: frontend}}]'),
    happens: /reserved:ingress/,
    live: { behindGateway: true },
  },
  { rule: 'unknown-field', text: policy('ingress:\n  - fromEndpoint: [{}] # here'), happens: /without ports nobody/ },
  { rule: 'unknown-field', text: policy('ingress: [{}]').replace('matchLabels:', 'matchLabel: # here'), happens: /selects more/ },
  {
    rule: 'unknown-kind',
    text: policy('ingress: [{}]').replace('CiliumNetworkPolicy', 'CiliumNetworkPolicies # here'),
    happens: /no kind/,
  },
  { rule: 'unknown-kind', text: policy('ingress: [{}]').replace('cilium.io/v2', 'cilium.io/v1 # here'), happens: /object is refused/ },
  {
    rule: 'invalid',
    text: policy(`
ingress:
  - fromEntities: [world]
  - fromEntities: [world]
    toPorts:
      - ports: [{port: "443", protocol: TCP}]
      - ports: [{port: "8080", protocol: UDP}] # here
        rules: {http: [{path: /}]}`),
    happens: /L7 rules can only apply to TCP/,
    right: policy('ingress:\n  - fromEntities: [world]'),
  },
];
