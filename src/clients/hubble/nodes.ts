/** Where a node's agent answers: `host:port`. */
export interface HubbleNode {
  readonly node: string;
  readonly address: string;
  /** In its certificate; left out: none is asked for, or the address. */
  readonly serverName?: string;
  /** Why it cannot be reached now, whatever answers there. */
  readonly problem?: string;
}

/** Tells which nodes there are, at once or soon, and again when they change, until the signal aborts. */
export type NodeSource = (changed: (nodes: readonly HubbleNode[]) => void, signal: AbortSignal) => void;

export function fixedNodes(nodes: readonly HubbleNode[]): NodeSource {
  return (changed) => changed(nodes);
}
