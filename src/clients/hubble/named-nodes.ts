import { setTimeout as sleep } from 'node:timers/promises';
import type { HubbleNode, NodeSource } from './nodes.ts';
import { RELAY } from './stream-listener.ts';
import { agentServerName, RELAY_SERVER_NAME } from './tls.ts';

const AGAIN_MS = 1_000;

/**
 * The same nodes with the names that their certificates have. While the cluster's name cannot be read they come with that as their
 * problem, so that they count as unseen, and it is asked for again.
 *
 * @param clusterName reads `cluster-name` of cilium-config
 */
export function namedNodes(nodes: NodeSource, clusterName: (signal: AbortSignal) => Promise<string>): NodeSource {
  return (changed, signal) => {
    let latest: readonly HubbleNode[] | undefined;
    let named: ((node: HubbleNode) => HubbleNode) | undefined;
    const tell = (): void => {
      if (latest && named) changed(latest.map(named));
    };
    nodes((present) => {
      latest = present;
      tell();
    }, signal);
    void (async () => {
      while (!signal.aborted) {
        try {
          const cluster = await clusterName(signal);
          named = (node) => ({ ...node, serverName: node.node === RELAY ? RELAY_SERVER_NAME : agentServerName(node.node, cluster) });
          tell();
          return;
        } catch (error) {
          const problem = `the cluster's name cannot be read (${error instanceof Error ? error.message : String(error)})`;
          named = (node) => ({ ...node, problem });
          tell();
          await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
        }
      }
    })();
  };
}
