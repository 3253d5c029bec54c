// Labels, peers, emptiness and ports that mean something else than they say.
import { type BrokenDocument, egress, fromFrontend, policy } from './build.ts';

export const PARTS: readonly BrokenDocument[] = [
  {
    rule: 'any-collision',
    text: policy('ingress:\n  - fromEndpoints:\n      - matchLabels:\n          app: frontend\n          any:app: frontend # here'),
    happens: /at random/,
  },
  {
    rule: 'selector-namespace',
    text: policy('ingress: [{}]').replace('app: backend', '"k8s:io.kubernetes.pod.namespace": frontend # here'),
    happens: /pods of `backend` are selected/,
    right: policy('ingress: [{}]').replace('app: backend', '"k8s:io.kubernetes.pod.namespace": backend'),
  },
  {
    rule: 'absent-peers',
    text: egress('- toFQDNs: [] # here\n  toPorts: [{ports: [{port: "443", protocol: TCP}]}]'),
    happens: /open to EVERYBODY/,
    right: egress('- toEntities: [all]\n  toPorts: [{ports: [{port: "443", protocol: TCP}]}]'),
  },
  {
    rule: 'absent-peers',
    text: policy('ingress:\n  - fromEndpoints: # here\n    toPorts: [{ports: [{port: "443", protocol: TCP}]}]'),
    happens: /open to EVERYBODY/,
    right: policy('ingress:\n  - fromEntities: [all]\n    toPorts: [{ports: [{port: "443", protocol: TCP}]}]'),
  },
  {
    rule: 'default-deny-alone',
    text: policy('enableDefaultDeny:\n  egress: true # here\ningress:\n  - fromEndpoints: [{}]'),
    happens: /egress stays open/,
  },
  {
    rule: 'deny-services',
    text: policy(`
enableDefaultDeny: {egress: false}
egressDeny:
  - toServices: [{k8sService: {serviceName: db, namespace: database}}] # here
    toPorts: [{ports: [{port: "5432", protocol: TCP}]}]`),
    happens: /EVERYBODY/,
    right: policy('enableDefaultDeny: {egress: false}\negressDeny:\n  - toEndpoints: [{matchLabels: {app: db}}]'),
  },
  { rule: 'port-base', text: fromFrontend('- ports: [{port: "0120", protocol: TCP}] # here'), happens: /octal number: port 80/ },
  { rule: 'port-base', text: fromFrontend('- ports: [{port: "0x50", protocol: TCP}] # here'), happens: /NAME/ },
  { rule: 'bare-ip', text: policy('ingress:\n  - fromCIDR: [203.0.113.7] # here'), happens: /schema refuses/ },
  {
    rule: 'empty-peers',
    text: policy('ingress:\n  - fromEndpoints: [] # here\n    fromEntities: [cluster]'),
    happens: /selects nobody.*beside it included/,
  },
  { rule: 'empty-section', text: policy('ingress: [{fromEndpoints: [{}]}]\negress: [] # here'), happens: /denies nothing/ },
  { rule: 'deny-only', text: policy('ingressDeny: # here\n  - fromEntities: [world]'), happens: /ALL ingress/ },
  {
    rule: 'services-with-ports',
    text: egress('- toServices:\n    - k8sService: {serviceName: db, namespace: database} # here\n  toPorts: [{ports: [{port: "5432"}]}]'),
    happens: /EVERYBODY/,
    right: egress('- toServices:\n    - k8sService: {serviceName: db, namespace: database}'),
  },
  {
    rule: 'port-zero',
    text: fromFrontend('- ports: [{port: "0", endPort: 80, protocol: TCP}] # here'),
    happens: /ALL ports, whatever endPort says/,
    right: fromFrontend('- ports: [{port: "1", endPort: 80, protocol: TCP}]'),
  },
  { rule: 'end-port-below', text: fromFrontend('- ports: [{port: "90", endPort: 80, protocol: TCP}] # here'), happens: /single port 90/ },
  { rule: 'end-port-named', text: fromFrontend('- ports: [{port: http, endPort: 9000, protocol: TCP}] # here'), happens: /pod to pod/ },
  {
    rule: 'egress-named-port',
    text: egress('- toCIDR: [203.0.113.0/24]\n  toPorts: [{ports: [{port: https, protocol: TCP}]}] # here'),
    happens: /never for addresses outside/,
    right: egress('- toCIDR: [203.0.113.0/24]\n  toPorts: [{ports: [{port: "443", protocol: TCP}]}]'),
  },
  {
    rule: 'mixed-prefix',
    text: policy('ingress:\n  - fromEndpoints:\n      - matchLabels:\n          app: frontend\n          k8s:app: frontend # here'),
    happens: /superfluous/,
  },
];
