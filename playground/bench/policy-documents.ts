import type { JsonObject } from '../../src/domain/json.ts';
import type { Random } from '../cilium/random.ts';
import { APPS, DOMAINS, NAMESPACES, pick } from './policy-world.ts';

const port = (number: string, protocol = 'TCP', endPort?: number): JsonObject => ({ port: number, protocol, endPort });
const app = (random: Random): JsonObject => ({ matchLabels: { app: pick(APPS, random) } });

type Make = (random: Random) => JsonObject;

/** Kinds of ingress rules; between them every kind of peer and port that a rule can name on this side. */
const INGRESS: readonly Make[] = [
  (random) => ({ fromEndpoints: [app(random), app(random)], toPorts: [{ ports: [port('8080'), port('9090')] }] }),
  (random) => ({ fromEndpoints: [{ matchLabels: { 'io.cilium.k8s.namespace.labels.team': pick(['web', 'money'], random) } }] }),
  (random) => ({ fromEndpoints: [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: [pick(APPS, random)] }] }] }),
  () => ({ fromEntities: ['cluster'], toPorts: [{ ports: [port('1', 'ANY', 10_000)] }] }),
  () => ({ fromEntities: ['world', 'ingress'], toPorts: [{ ports: [port('web'), port('443')] }] }),
  () => ({ fromCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.0/28'] }] }),
  () => ({ icmps: [{ fields: [{ type: 'EchoRequest', family: 'IPv4' }] }] }),
  (random) => ({
    fromEndpoints: [{ matchExpressions: [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'Exists' }] }],
    toPorts: [
      {
        ports: [port('8080')],
        rules: { http: [{ method: 'GET|HEAD', path: '/api/v[0-9]+/items.*' }, { path: pick(['/healthz', '/public/.*'], random) }] },
      },
    ],
  }),
  () => ({
    toPorts: [{ ports: [port('8080')], rules: { http: [{ method: 'POST', host: '.*\\.shop:8080', headers: ['X-Canary: true'] }] } }],
  }),
];
const EGRESS: readonly Make[] = [
  (random) => ({ toEndpoints: [app(random), app(random), app(random)] }),
  (random) => ({
    toFQDNs: [{ matchPattern: `*.${pick(DOMAINS, random)}` }, { matchName: `host-4.${DOMAINS[0]}` }],
    toPorts: [{ ports: [port('443')] }],
  }),
  () => ({ toCIDR: ['198.51.100.0/24'] }),
  (random) => ({ toServices: [{ k8sService: { serviceName: 'api', namespace: pick(NAMESPACES.slice(0, 10), random) } }] }),
  () => ({ toEntities: ['kube-apiserver', 'remote-node'] }),
  (random) => ({
    toEndpoints: [{ matchExpressions: [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'Exists' }] }],
    toPorts: [{ ports: [port('53', 'ANY')], rules: { dns: [{ matchPattern: `*.${pick(DOMAINS, random)}` }] } }],
  }),
  () => ({ toPorts: [{ ports: [port('8080')], rules: { http: [{ method: 'GET', path: '/(api|public)/.*' }] } }] }),
  () => ({ toEndpoints: [{}], toPorts: [{ ports: [port('web'), port('5432'), port('0', 'SCTP')] }] }),
];
const DENY: readonly Make[] = [
  (random) => ({ fromEndpoints: [app(random)], toPorts: [{ ports: [port('6379')] }] }),
  () => ({ fromCIDR: ['203.0.113.128/25'] }),
];

function some(kinds: readonly Make[], random: Random): JsonObject[] {
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(kinds, random)(random));
}

/** Policies of every kind: most of them namespaced and of one app, some of a whole namespace, some of the whole cluster. */
export function createPolicyDocuments(count: number, random: Random): JsonObject[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `policy-${index}`;
    const namespace = NAMESPACES[index % NAMESPACES.length] ?? '';
    if (index % 25 === 24) return kubernetesPolicy(name, namespace, random);
    const isClusterWide = index % 20 === 19;
    const isWide = index % 10 === 0;
    const endpointSelector = isWide ? {} : { matchLabels: { app: pick(APPS, random), ...(random() < 0.3 && { version: 'v1' }) } };
    const spec: JsonObject = {
      endpointSelector,
      ...(random() < 0.8 && { ingress: some(INGRESS, random) }),
      ...(random() < 0.5 && { egress: some(EGRESS, random) }),
      ...(random() < 0.25 && { ingressDeny: some(DENY, random) }),
      ...(random() < 0.1 && { enableDefaultDeny: { ingress: false, egress: false } }),
    };
    const complete = spec.ingress || spec.egress || spec.ingressDeny ? spec : { ...spec, ingress: [{}] };
    return {
      apiVersion: 'cilium.io/v2',
      kind: isClusterWide ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
      metadata: isClusterWide ? { name } : { name, namespace },
      spec: complete,
    };
  });
}

function kubernetesPolicy(name: string, namespace: string, random: Random): JsonObject {
  const from = [
    { podSelector: app(random) },
    { namespaceSelector: { matchLabels: { team: 'web' } }, podSelector: app(random) },
    { ipBlock: { cidr: '203.0.113.0/24' } },
  ];
  const ports = [{ port: 8080 }, { port: 'metrics' }, { port: 9000, endPort: 9100 }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: { podSelector: app(random), policyTypes: ['Ingress'], ingress: [{ from, ports }] },
  };
}
