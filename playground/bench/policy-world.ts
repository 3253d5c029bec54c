import type { PolicyFlow, PolicyPeer, PolicyService } from '../../src/domain/policy/flow.ts';
import type { Random } from '../cilium/random.ts';

/** A cluster to decide flows in: who there is, and which connections occur. */
export interface PolicyWorld {
  readonly peers: readonly PolicyPeer[];
  readonly services: readonly PolicyService[];
  /** Distinct connections, to be drawn from. */
  readonly flows: readonly WorldFlow[];
}

/** Peers by their place in the world's list. */
export interface WorldFlow extends Omit<PolicyFlow, 'source' | 'destination'> {
  readonly source: number;
  readonly destination: number;
}

export const NAMESPACES = Array.from({ length: 40 }, (_, index) => `ns-${index}`);
export const APPS = Array.from({ length: 25 }, (_, index) => `app-${index}`);
export const DOMAINS = ['example.com', 'example.org', 'example.net', 'stripe.test'];
const TEAMS = ['web', 'money', 'data', 'infra'];
const NAMED_PORTS = [
  { name: 'web', port: 8080, protocol: 'TCP' },
  { name: 'metrics', port: 9090, protocol: 'TCP' },
  { name: 'dns', port: 53, protocol: 'UDP' },
];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'];
const WORLD_PEERS = 400;
const RESERVED = [
  ['reserved:host'],
  ['reserved:remote-node'],
  ['reserved:kube-apiserver', 'reserved:remote-node'],
  ['reserved:ingress'],
  ['reserved:health'],
];

export const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T;

/** 2,000 pod identities in 40 namespaces, 400 addresses outside, and the nodes' own; `distinct` connections between them. */
export function createPolicyWorld(distinct: number, random: Random): PolicyWorld {
  const pods = NAMESPACES.flatMap((namespace, at) =>
    APPS.flatMap((app) => ['v1', 'v2'].map((version) => pod(namespace, at, app, version))),
  );
  const outside = Array.from({ length: WORLD_PEERS }, (_, index) => worldPeer(index));
  const peers = [...pods, ...outside, ...RESERVED.map((labels): PolicyPeer => ({ labels, ip: '192.168.0.1' }))];
  const services = NAMESPACES.slice(0, 10).map(
    (namespace, index): PolicyService =>
      index % 2 === 0
        ? { namespace, name: 'api', selector: { app: 'app-1' } }
        : { namespace, name: 'api', backends: [`198.51.100.${index}`] },
  );
  const flows = new Map<string, WorldFlow>();
  for (let tries = 0; flows.size < distinct && tries < distinct * 20; tries += 1) {
    const flow = worldFlow(pods.length, peers.length, random);
    flows.set(`${flow.source} ${flow.destination} ${flow.protocol} ${flow.destinationPort ?? flow.icmpType}`, flow);
  }
  return { peers, services, flows: [...flows.values()] };
}

function pod(namespace: string, at: number, app: string, version: string): PolicyPeer {
  const labels = [
    `k8s:app=${app}`,
    `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
    `k8s:io.cilium.k8s.namespace.labels.team=${TEAMS[at % TEAMS.length]}`,
    'k8s:io.cilium.k8s.policy.cluster=default',
    `k8s:io.cilium.k8s.policy.serviceaccount=${app}`,
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
    `k8s:version=${version}`,
  ];
  return { labels, ip: '10.0.0.1', namedPorts: NAMED_PORTS };
}

function worldPeer(index: number): PolicyPeer {
  const ip = `${index % 2 === 0 ? '203.0.113' : '198.51.100'}.${index % 256}`;
  return { labels: ['reserved:world'], ip, fqdns: index % 4 === 3 ? [] : [`host-${index}.${DOMAINS[index % DOMAINS.length]}`] };
}

/** Pods talk to pods, mostly of their own namespace, and to the world; one flow in five carries a request, a query or a name. */
function worldFlow(pods: number, peers: number, random: Random): WorldFlow {
  const perNamespace = pods / NAMESPACES.length;
  const source = Math.floor(random() * pods);
  const home = Math.floor(source / perNamespace) * perNamespace;
  const isNear = random() < 0.6;
  const isOutward = random() < 0.15;
  const near = home + Math.floor(random() * perNamespace);
  const destination = isOutward ? pods + Math.floor(random() * (peers - pods)) : isNear ? near : Math.floor(random() * pods);
  const reversed = isOutward && random() < 0.3;
  const ends = reversed ? { source: destination, destination: source } : { source, destination };
  const kind = random();
  if (kind < 0.13) {
    const path = pick([`/api/v1/items/${Math.floor(random() * 1_000)}`, '/healthz', '/admin', '/public/index.html?x=1'], random);
    const http = { method: pick(METHODS, random), path, host: 'backend.shop:8080', headers: { 'x-canary': 'true' } };
    return { ...ends, protocol: 'TCP', destinationPort: 8080, http };
  }
  if (kind < 0.18) {
    const query = `host-${Math.floor(random() * 100)}.${pick(DOMAINS, random)}`;
    return { ...ends, protocol: 'UDP', destinationPort: 53, dns: { query } };
  }
  if (kind < 0.19) return { ...ends, protocol: 'ICMP', icmpType: 8 };
  if (kind < 0.2) return { ...ends, protocol: 'SCTP', destinationPort: 3868 };
  const destinationPort = random() < 0.6 ? pick([80, 443, 8080, 9090, 5432, 6379], random) : 1 + Math.floor(random() * 20_000);
  return { ...ends, protocol: random() < 0.9 ? 'TCP' : 'UDP', destinationPort };
}
