/** What the simulator knows of each pod beyond its object: its address, its local port, its endpoint number and identity. */
import type { NamedPort } from '../../src/domain/policy/flow.ts';
import { type Identities, identityLabels } from './identities.ts';
import { keyOf, type Pod } from './kube/types.ts';
import { meshNodes } from './nodes.ts';

/** Where a pod's server listens on loopback: for pods that connect to it, and for the gateway's proxy. */
export interface PodPorts {
  readonly port: number;
  readonly gatewayPort: number;
}

/** A pod as flows see it. */
export interface PodFacts {
  readonly key: string;
  /** Of its object: another one of the same name is another pod. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly node: string;
  /** Where its server listens on loopback. */
  readonly localPort: number;
  /** Where its server listens for the gateway's proxy. */
  readonly gatewayPort: number;
  readonly containerPort: number;
  /** Every declared container port, with its name where it has one. */
  readonly ports: readonly NamedPort[];
  readonly endpointId: number;
  readonly identity: number;
  readonly labels: readonly string[];
  readonly workload: { readonly name: string; readonly kind: string };
}

export interface PodBook {
  /** Enters a pod with its local ports; a pod that has an address keeps it. Throws when its node has no address left. */
  enter(pod: Pod, ports: PodPorts, workload: PodFacts['workload']): PodFacts;
  /** Takes new labels into account: a changed set is a new identity. */
  relabel(pod: Pod): PodFacts | undefined;
  /** True when the labels of a known pod are not those of its identity. */
  isStale(pod: Pod): boolean;
  leave(key: string): void;
  get(key: string): PodFacts | undefined;
  byIp(ip: string): PodFacts | undefined;
  byPort(localPort: number): PodFacts | undefined;
  all(): Iterable<PodFacts>;
}

function portsOf(pod: Pod): readonly NamedPort[] {
  return pod.spec.containers
    .flatMap((container) => container.ports ?? [])
    .map(({ name = '', containerPort, protocol = 'TCP' }) => ({ name, port: containerPort, protocol }));
}

const firstHost = 10;
const lastHost = 254;

/** An empty book; `namespaceLabels` gives the labels of a namespace now. */
export function createPodBook(identities: Identities, namespaceLabels: (namespace: string) => Readonly<Record<string, string>>): PodBook {
  const byKey = new Map<string, PodFacts>();
  const byAddress = new Map<string, PodFacts>();
  const byLocalPort = new Map<number, PodFacts>();
  const cursor = new Map<string, number>();
  let nextEndpoint = 100;

  const freeAddress = (node: string): string => {
    const index = meshNodes.find((candidate) => candidate.name === node)?.index ?? 1;
    for (let tried = 0; tried <= lastHost - firstHost; tried += 1) {
      // Addresses are handed out in turn, so that one is not reused right after its pod went away.
      const host = cursor.get(node) ?? firstHost;
      cursor.set(node, host === lastHost ? firstHost : host + 1);
      const address = `10.244.${index}.${host}`;
      if (!byAddress.has(address)) return address;
    }
    throw new Error(`Node ${node} has no pod address left. Nothing was started. Scale something down.`);
  };

  const keep = (facts: PodFacts): PodFacts => {
    byKey.set(facts.key, facts);
    byAddress.set(facts.ip, facts);
    byLocalPort.set(facts.localPort, facts);
    byLocalPort.set(facts.gatewayPort, facts);
    return facts;
  };

  return {
    enter: (pod, local, workload) => {
      const node = pod.spec.nodeName ?? '';
      const labels = identityLabels(pod, namespaceLabels(pod.metadata.namespace ?? ''));
      nextEndpoint += 1;
      return keep({
        key: keyOf(pod),
        namespace: pod.metadata.namespace ?? '',
        name: pod.metadata.name,
        ip: pod.status?.podIP ?? freeAddress(node),
        node,
        localPort: local.port,
        gatewayPort: local.gatewayPort,
        ports: portsOf(pod),
        containerPort: pod.spec.containers[0]?.ports?.[0]?.containerPort ?? 0,
        endpointId: nextEndpoint,
        identity: identities.numberOf(labels),
        labels,
        uid: pod.metadata.uid ?? '',
        workload,
      });
    },
    relabel: (pod) => {
      const before = byKey.get(keyOf(pod));
      if (!before) return undefined;
      const labels = identityLabels(pod, namespaceLabels(before.namespace));
      if (labels.join(';') === before.labels.join(';')) return before;
      return keep({ ...before, labels, identity: identities.numberOf(labels) });
    },
    isStale: (pod) => {
      const before = byKey.get(keyOf(pod));
      return before !== undefined && identityLabels(pod, namespaceLabels(before.namespace)).join(';') !== before.labels.join(';');
    },
    leave: (key) => {
      const facts = byKey.get(key);
      if (!facts) return;
      byKey.delete(key);
      byAddress.delete(facts.ip);
      byLocalPort.delete(facts.localPort);
      byLocalPort.delete(facts.gatewayPort);
    },
    get: (key) => byKey.get(key),
    byIp: (ip) => byAddress.get(ip),
    byPort: (port) => byLocalPort.get(port),
    all: () => byKey.values(),
  };
}
