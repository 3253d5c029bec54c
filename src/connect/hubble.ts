// How flows of one cluster are read: from which servers, and by which names their certificates are known.
import { ciliumNodes, nodesOfCluster } from '../clients/hubble/cilium-nodes.ts';
import { RELAY } from '../clients/hubble/flows.ts';
import { namedNodes } from '../clients/hubble/named-nodes.ts';
import { fixedNodes, type HubbleNode, type NodeSource } from '../clients/hubble/nodes.ts';
import { connectObserver, type Observer, unreachable } from '../clients/hubble/observer.ts';
import { type Cluster, ciliumConfigOf } from '../clients/kubernetes/cluster.ts';
import type { Hub } from '../clients/kubernetes/hub.ts';
import type { ConfigMap } from '../clients/kubernetes/objects.ts';
import type { ClusterConfig } from './kubernetes.ts';

/** What Cilium calls a cluster that has no name (Cilium v1.20.2 pkg/defaults). */
const UNNAMED = 'default';
const CALL_MS = 5_000;

export interface Hubble {
  readonly nodes: NodeSource;
  readonly connect: (node: HubbleNode) => Observer;
}

/** The nodes are followed as they come and go. */
export function hubbleOf(config: ClusterConfig, cluster: Cluster, hub: Hub): Hubble {
  return over(config, cluster, () => ciliumNodes(hub, config.hubble.port));
}

/** The nodes that there are now. Rejects when they cannot be listed. */
export async function hubbleNow(config: ClusterConfig, cluster: Cluster, signal: AbortSignal): Promise<Hubble> {
  const { agents, port } = config.hubble;
  const present = agents === 'nodes' ? await nodesOfCluster(cluster, port, signal) : [];
  return over(config, cluster, () => fixedNodes(present));
}

function over({ hubble }: ClusterConfig, cluster: Cluster, ofCluster: () => NodeSource): Hubble {
  const { tls, agents, relay } = hubble;
  const named = agents ?? (relay === undefined ? [] : [{ node: RELAY, address: relay }]);
  const nodes = named === 'nodes' ? ofCluster() : fixedNodes(named);
  return {
    nodes: tls && !tls.serverName ? namedNodes(nodes, (signal) => clusterName(cluster, signal)) : nodes,
    connect: ({ address, serverName, problem }) =>
      problem === undefined ? connectObserver(address, tls && { ...tls, serverName: tls.serverName ?? serverName }) : unreachable(problem),
  };
}

async function clusterName(cluster: Cluster, signal: AbortSignal): Promise<string> {
  const config = (await cluster.read(ciliumConfigOf(cluster), { signal, deadlineMs: CALL_MS })) as ConfigMap | undefined;
  return config?.data?.['cluster-name'] ?? UNNAMED;
}
