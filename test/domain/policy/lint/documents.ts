// One broken document for each rule of the lint. The line that is wrong carries the comment `# here`.
import type { LintContext } from '../../../../src/domain/policy/lint/finding.ts';

export interface BrokenDocument {
  readonly rule: string;
  readonly text: string;
  /** Words that the finding must say about what would happen. */
  readonly happens: RegExp;
  /** The document as it should be, where no fix can be offered; with a fix, the fixed text is taken. */
  readonly right?: string;
  readonly live?: LintContext;
}

const indented = (text: string, by: number): string =>
  text
    .replace(/^\n/, '')
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? line : ' '.repeat(by) + line))
    .join('\n');

/** A policy for the backend, of the given spec besides its selector. */
export const policy = (spec: string, kind = 'CiliumNetworkPolicy'): string => `apiVersion: cilium.io/v2
kind: ${kind}
metadata:
  name: backend${kind === 'CiliumNetworkPolicy' ? '\n  namespace: backend' : ''}
spec:
  endpointSelector:
    matchLabels:
      app: backend
${indented(spec, 2)}
`;

/** One ingress rule from the frontend, with these ports and L7 rules. */
const fromFrontend = (toPorts: string): string =>
  policy(`
ingress:
  - fromEndpoints:
      - matchLabels: {app: frontend}
    toPorts:
${indented(toPorts, 6)}`);

const http = (entries: string): string =>
  fromFrontend(`
- ports: [{port: "8080", protocol: TCP}]
  rules:
    http:
${indented(entries, 6)}`);

const DNS = `
  - toEndpoints:
      - matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, "k8s:k8s-app": kube-dns}
    toPorts:
      - ports: [{port: "53", protocol: ANY}]
        rules:
          dns: [{matchPattern: "*"}]`;

const egress = (rules: string): string => policy(`egress:${DNS}\n${indented(rules, 2)}`);

export const BROKEN: readonly BrokenDocument[] = [
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
  {
    rule: 'invalid',
    text: policy('ingress:\n  - toPorts: # here\n      - ports: [{port: 443}]')
      .replace('# here', '')
      .replace('- ports', '- ports')
      .replace('{port: 443}]', '{port: 443}] # here'),
    happens: /Types do not fit/,
    right: policy('ingress:\n  - toPorts:\n      - ports: [{port: "443"}]'),
  },
];

/** Documents that say what they mean, one detail each that a careless rule would blame. */
export const RIGHT: Readonly<Record<string, string>> = {
  'default deny': policy('ingress: [{}]'),
  'an L7 allow list': http('- {method: GET, path: "/api/.*", headers: [Authorization, "X-Role: reader"]}'),
  'names with DNS': egress('- toFQDNs: [{matchPattern: "*.example.com"}]\n  toPorts: [{ports: [{port: "443", protocol: TCP}]}]'),
  'names, and another port for all': egress(
    '- toFQDNs: [{matchName: api.example.com}]\n  toPorts: [{ports: [{port: "443", protocol: TCP}]}]\n- toPorts: [{ports: [{port: "123", protocol: UDP}]}]',
  ),
  'a deny that denies only itself': policy('enableDefaultDeny: {ingress: false}\ningressDeny: [{fromEntities: [world]}]'),
  'another namespace': policy('ingress:\n  - fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": frontend, app: frontend}}]'),
  'a shadow': policy(
    'enableDefaultDeny: {ingress: false, egress: false}\nlog: {value: ro-1}\negress: [{toEndpoints: [{matchLabels: {app: db}}]}]',
  ),
  'egress to the whole cluster': policy('egress: [{toEntities: [cluster]}]'),
  'egress to a DNS server of its own': policy('egress: [{toCIDR: [10.0.0.10/32], toPorts: [{ports: [{port: "53", protocol: UDP}]}]}]'),
  'two HTTP lists on one port': http('- path: /api').replace(
    /(\n {2}ingress:)([\s\S]*)/,
    (_all, head: string, rules: string) => `${head}${rules.trimEnd()}${rules.replace('/api', '/health').trimEnd()}\n`,
  ),
  'HTTP for one peer, all for another': policy(`
ingress:
  - fromEndpoints: [{matchLabels: {app: frontend}}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{path: /api}]}}]
  - fromEndpoints: [{matchLabels: {app: monitor}}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}]}]`),
  'names, and a rule that allows nobody': egress('- toFQDNs: [{matchName: api.example.com}]\n- {}'),
  'names, and pings to everybody': egress(
    '- toFQDNs: [{matchName: api.example.com}]\n- toEntities: [world]\n  icmps: [{fields: [{type: 8}]}]',
  ),
  'HTTP for everybody, and a rule that allows nobody': policy(`
ingress:
  - toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{path: /api}]}}]
  - {}`),
  'HTTP for another namespace, all for its own': policy(`
ingress:
  - fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": frontend}}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{path: /api}]}}]
  - fromEndpoints: [{}]`),
  'a List': `apiVersion: v1\nkind: List\nitems:\n${policy('ingress: [{}]')
    .trimEnd()
    .split('\n')
    .map((line, index) => (index === 0 ? `  - ${line}` : `    ${line}`))
    .join('\n')}\n`,
  'an address range': policy('ingress: [{fromCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]'),
  'another kind of object': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {policyEnforcement: "never"}\n',
  'a policy of its own group': 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec: {podSelector: {}}\n',
};
