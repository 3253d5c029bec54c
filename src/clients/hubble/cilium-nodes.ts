import type { Cluster } from '../kubernetes/cluster.ts';
import type { Hub } from '../kubernetes/hub.ts';
import { CILIUM_NODE, type CiliumNode } from '../kubernetes/objects.ts';
import { EVERYTHING } from '../kubernetes/store.ts';
import type { HubbleNode, NodeSource } from './nodes.ts';

/** The agents of all CiliumNodes, by their internal address (4244 unless configured otherwise). */
export function ciliumNodes(hub: Hub, port: number): NodeSource {
  return (changed, signal) =>
    hub.follow(
      CILIUM_NODE,
      EVERYTHING,
      {
        changed: (objects) => changed((objects as readonly CiliumNode[]).flatMap((node) => agentOf(node, port))),
      },
      signal,
    );
}

/** The same, once. */
export async function nodesOfCluster(cluster: Cluster, port: number, signal: AbortSignal): Promise<readonly HubbleNode[]> {
  const { items } = await cluster.list<CiliumNode>(CILIUM_NODE, {}, { signal });
  return items.flatMap((node) => agentOf(node, port));
}

function agentOf({ metadata, spec }: CiliumNode, port: number): readonly HubbleNode[] {
  const ip = spec.addresses?.find(({ type }) => type === 'InternalIP')?.ip;
  return ip === undefined ? [] : [{ node: metadata.name, address: ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}` }];
}
