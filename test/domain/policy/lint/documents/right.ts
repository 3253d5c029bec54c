import { egress, http, policy } from './build.ts';

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
