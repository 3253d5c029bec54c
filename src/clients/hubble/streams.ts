import { BLIND_AFTER_MS } from '../../domain/judge/sight.ts';
import type { Log } from '../../log.ts';
import { followNode } from './node-stream.ts';
import type { HubbleNode, NodeSource } from './nodes.ts';
import type { Observer } from './observer.ts';
import type { OwnDelay } from './own-delay.ts';
import type { StreamListener } from './stream-listener.ts';

/** While a node is being connected to it is looked this often whether this process is what is slow (ms). */
const EXCUSED_EVERY_MS = 200;

/** Streams to all nodes that serve one listener. */
export interface Streams {
  unseen(): readonly { readonly node: string; readonly at: number; readonly reason: string; readonly patienceMs?: number }[];
  close(): void;
}

const CONNECTING = 'connecting';

type Connected = FlowsDeps & Pick<Required<FlowsDeps>, 'connect' | 'ownDelay'>;

/** One stream per node, kept in step with the nodes there are. `whitelist`: as of a request for flows. */
export function openStreams(deps: Connected, listener: StreamListener, whitelist?: readonly object[]): Streams {
  const stop = new AbortController();
  const running = new Map<string, { readonly at: HubbleNode; readonly stop: AbortController }>();
  const gaps = new Map<string, { readonly at: number; readonly reason: string; readonly patienceMs?: number }>();
  const tracked: StreamListener = {
    flow: (flow, node, seenAt) => listener.flow(flow, node, seenAt),
    gap(node, at, reason, lost, patienceMs) {
      gaps.set(node, { at: gaps.get(node)?.at ?? at, reason, ...(patienceMs !== undefined && { patienceMs }) });
      listener.gap(node, at, reason, lost, patienceMs);
    },
    sight(node, at) {
      gaps.delete(node);
      listener.sight(node, at);
    },
  };
  const end = (node: string): void => {
    running.get(node)?.stop.abort();
    running.delete(node);
    // A node that has left the cluster reports nothing any more, and nothing is missed.
    tracked.sight(node, deps.now());
  };
  const begin = (at: HubbleNode): void => {
    const { node } = at;
    const own = new AbortController();
    const observer = deps.connect(at);
    running.set(node, { at, stop: own });
    const { now, log, ownDelay } = deps;
    const began = now();
    tracked.gap(node, began, CONNECTING);
    const signal = AbortSignal.any([stop.signal, own.signal]);
    // A process that does not get its turns cannot connect in time either: that is not the agent's.
    const excuse = setInterval(() => {
      if (signal.aborted || gaps.get(node)?.reason !== CONNECTING) return clearInterval(excuse);
      const away = ownDelay.within(now() - began);
      if (away > 0) tracked.gap(node, began, CONNECTING, undefined, BLIND_AFTER_MS + away);
    }, EXCUSED_EVERY_MS).unref();
    void followNode({ node, observer, listener: tracked, now, log, signal, ownDelay, whitelist }).finally(() => observer.close());
  };
  deps.nodes((nodes) => {
    const wanted = new Map(nodes.map((node) => [node.node, node]));
    for (const [node, { at }] of running) if (!isSame(at, wanted.get(node))) end(node);
    for (const node of nodes) if (!running.has(node.node)) begin(node);
  }, stop.signal);
  return {
    unseen: () => [...gaps].map(([node, gap]) => ({ node, ...gap })),
    close: () => stop.abort(),
  };
}

function isSame(one: HubbleNode, other: HubbleNode | undefined): boolean {
  return one.address === other?.address && one.serverName === other.serverName && one.problem === other.problem;
}

export interface FlowsDeps {
  readonly nodes: NodeSource;
  /** Left out: gRPC in plain text. */
  readonly connect?: (node: HubbleNode) => Observer;
  readonly now: () => number;
  readonly log: Log;
  /** For tests whose time is not the platform's; default: measured. */
  readonly ownDelay?: OwnDelay;
}
