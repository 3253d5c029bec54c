import { type Connection, type Decide, decideBy } from '../../../playground/cilium/connections/decision.ts';
import { type Party, podParty } from '../../../playground/cilium/connections/party.ts';
import type { KubeObject } from '../../../playground/cilium/kube/types.ts';
import type { PodFacts } from '../../../playground/cilium/pod-book.ts';
import { compileBook, readPolicy } from '../../../playground/cilium/policy/rule-book.ts';

/** A pod of the demo's canary. */
export function pod(name: string, node: string, part: Partial<PodFacts> = {}): PodFacts {
  return {
    key: `backend/${name}`,
    namespace: 'backend',
    name,
    ip: '10.244.2.11',
    node,
    localPort: 30_000,
    gatewayPort: 30_001,
    containerPort: 8080,
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    uid: 'uid-101',
    endpointId: 101,
    identity: 10_002,
    labels: ['k8s:app=backend', 'k8s:version=v2'],
    workload: { name: 'backend-canary', kind: 'Deployment' },
    ...part,
  };
}

/** A pod with the identity labels of its namespace and app. */
export function member(namespace: string, app: string, node: string): Party {
  return podParty(
    pod(app, node, {
      key: `${namespace}/${app}`,
      namespace,
      labels: [`k8s:app=${app}`, 'k8s:io.cilium.k8s.policy.cluster=default', `k8s:io.kubernetes.pod.namespace=${namespace}`],
    }),
  );
}

export function connection(source: Party, destination: Party, port = 5432): Connection {
  return {
    source,
    destination,
    sourcePort: 50_000,
    port,
    protocol: 'TCP',
  };
}

/** A CiliumNetworkPolicy of the namespace `database` on its `app=database`. */
export function policy(name: string, spec: object): KubeObject {
  return {
    kind: 'CiliumNetworkPolicy',
    metadata: { namespace: 'database', name, uid: `uid-${name}` },
    spec: { endpointSelector: { matchLabels: { app: 'database' } }, ...spec },
  } as KubeObject;
}

/** Decides by these policies, in force on every node. */
export function under(...objects: readonly KubeObject[]): Decide {
  const inForce = objects.map((object) => {
    const read = readPolicy(object);
    if ('error' in read) throw new Error(read.error);
    return { object, policy: read.policy, revision: 7 };
  });
  const book = compileBook(inForce, [], 7);
  return decideBy(() => book);
}
