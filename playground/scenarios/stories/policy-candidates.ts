/** Candidate policies of the demo's frontend, as people would write them. Frontend is called by external and by visitors, and calls the backend by name. */
const peer = (namespace: string, app: string): string => `matchLabels: { k8s:io.kubernetes.pod.namespace: ${namespace}, app: ${app} }`;
const PORT = 'toPorts: [{ ports: [{ port: "8080", protocol: TCP }] }]';

const FROM_EXTERNAL = `    - fromEndpoints: [{ ${peer('external', 'external')} }]
      ${PORT}`;
const FROM_WORLD = `    - fromEntities: [world]
      ${PORT}`;
const TO_DNS = `    - toEndpoints: [{ matchLabels: { k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns } }]
      toPorts: [{ ports: [{ port: "53", protocol: ANY }], rules: { dns: [{ matchPattern: "*" }] } }]`;
const TO_BACKEND = `    - toEndpoints: [{ ${peer('backend', 'backend')} }]
      ${PORT}`;

export interface Sections {
  readonly ingress?: readonly string[];
  readonly egress?: readonly string[];
}

/** A CiliumNetworkPolicy for frontend out of rule texts; a section that is left out is not in the policy. */
export function frontendPolicy({ ingress, egress }: Sections): string {
  const section = (name: string, rules: readonly string[] | undefined): string => (rules ? `  ${name}:\n${rules.join('\n')}\n` : '');
  return `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: frontend, namespace: frontend }
spec:
  endpointSelector: { matchLabels: { app: frontend } }
${section('ingress', ingress)}${section('egress', egress)}`;
}

/** Lets everything through that the demo does. */
export const GOOD = frontendPolicy({ ingress: [FROM_EXTERNAL, FROM_WORLD], egress: [TO_DNS, TO_BACKEND] });
/** One legitimate client is missing: external. */
export const MISSING_PEER = frontendPolicy({ ingress: [FROM_WORLD], egress: [TO_DNS, TO_BACKEND] });
/** The backend is called by name, and nobody may ask for names. */
export const NO_DNS = frontendPolicy({ ingress: [FROM_EXTERNAL, FROM_WORLD], egress: [TO_BACKEND] });
/** Visitors from the world are not let in. */
export const NO_WORLD = frontendPolicy({ ingress: [FROM_EXTERNAL], egress: [TO_DNS, TO_BACKEND] });

/** Only these paths by GET, for everybody who calls frontend. */
export function onlyPaths(paths: readonly string[]): string {
  const http = paths.map((path) => `{ method: GET, path: "${path}" }`).join(', ');
  const rule = (peers: string): string => `    - ${peers}
      toPorts: [{ ports: [{ port: "8080", protocol: TCP }], rules: { http: [${http}] } }]`;
  const fromExternal = rule(`fromEndpoints: [{ ${peer('external', 'external')} }]`);
  return frontendPolicy({ ingress: [fromExternal, rule('fromEntities: [world]')] });
}

/** External as it calls, and of the world only what is public. */
export const PUBLIC_ONLY = frontendPolicy({
  ingress: [
    FROM_EXTERNAL,
    `    - fromEntities: [world]
      toPorts: [{ ports: [{ port: "8080", protocol: TCP }], rules: { http: [{ method: GET, path: "/public/.*" }] } }]`,
  ],
});

/**
 * The backend: called through the Gateway (on real nodes its plain Envoy is the node itself to Cilium) and by frontend; calls database, external,
 * and one name outside.
 */
export const BACKEND_FQDN = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: backend, namespace: backend }
spec:
  endpointSelector: { matchLabels: { app: backend, version: v1 } }
  ingress:
    - fromEntities: [ingress, host, remote-node]
    - fromEndpoints: [{ ${peer('frontend', 'frontend')} }]
  egress:
${TO_DNS}
    - toEndpoints: [{ ${peer('database', 'database')} }, { ${peer('external', 'external')} }]
    - toFQDNs: [{ matchName: api.example.com }]
      toPorts: [{ ports: [{ port: "443", protocol: TCP }] }]
`;

/** Each silently does something else than it says; the word is what the finding must name. */
export const ERRATA: readonly { readonly yaml: string; readonly names: string }[] = [
  { yaml: GOOD.replace('  egress:', '  policyEnforcement: false\n  egress:'), names: 'policyEnforcement' },
  { yaml: onlyPaths(['/admin']).replace('path: "/admin"', 'path: "/admin", action: DENY'), names: 'action' },
  {
    yaml: GOOD.replace(
      'matchLabels: { k8s:io.kubernetes.pod.namespace: external, app: external }',
      'namespaceSelector: { matchLabels: { name: external } }',
    ),
    names: 'namespaceSelector',
  },
  { yaml: `${GOOD.slice(0, GOOD.indexOf('  ingress:'))}  ingress: []\n  egress: []\n`, names: 'at least one|default deny|ingress' },
  { yaml: onlyPaths(['/']).replace(/http: \[[^\]]*\]/g, 'kafka: [{ topic: orders }]'), names: 'kafka' },
  { yaml: onlyPaths(['/']).replace(/http: \[[^\]]*\]/g, 'grpc: [{ service: user }]'), names: 'grpc' },
  { yaml: onlyPaths(['/']).replace('path: "/"', 'path: "/", headers: ["Authorization: Bearer .*"]'), names: 'header' },
  {
    yaml: BACKEND_FQDN.replace(', rules: { dns: [{ matchPattern: "*" }] }', '')
      .replaceAll('namespace: backend }', 'namespace: frontend }')
      .replace('app: backend, version: v1', 'app: frontend'),
    names: 'toFQDNs|dns',
  },
];
