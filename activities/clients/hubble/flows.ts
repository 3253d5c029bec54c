import type { Log } from '../../log.ts';
import { type Checked, checkNode, nodesNow } from './ask.ts';
import { keysOf } from './flow.ts';
import { followNode } from './node-stream.ts';
import { connectObserver, type Observer } from './observer.ts';
import { measureOwnDelay, type OwnDelay } from './own-delay.ts';
import { createReplays } from './replays.ts';
import { RELAY, type StreamListener } from './stream-listener.ts';

export { RELAY };

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

/** What a watch hears. Called synchronously, in the order of arrival. */
export type FlowFollower = StreamListener;

/** All flows of one cluster that any watch of this worker needs: one stream per node, fanned out here. */
export interface Flows {
  /**
   * Follows flows in which one of the `keys` takes part: a namespace name, or an IP address. Nodes that cannot be seen now are
   * told as gaps at once.
   */
  follow(keys: readonly string[], follower: FlowFollower, signal: AbortSignal): void;
  /** What the nodes still hold since `since` (epoch ms), for a watch that goes on elsewhere. Gaps for nodes that do not answer. */
  replay(keys: readonly string[], since: number, follower: FlowFollower, signal: AbortSignal): Promise<void>;
  /** Asks every agent once: which answer, and what is wrong with those that do not. */
  check(signal: AbortSignal): Promise<readonly Checked[]>;
  close(): void;
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

/** Streams that nobody follows are kept this long: the next stage follows the same nodes. */
const LINGER_MS = 30_000;

/** The flows of one cluster. Streams are opened with the first follower. */
export function createFlows(deps: FlowsDeps): Flows {
  const followers = new Map<string, Set<FlowFollower>>();
  const count = new Map<FlowFollower, readonly string[]>();
  let streams: Streams | undefined;
  let lingering: NodeJS.Timeout | undefined;
  const ownDelay = deps.ownDelay ?? measureOwnDelay();
  const connect = deps.connect ?? (({ address }: HubbleNode) => connectObserver(address));

  const replays = createReplays({ nodes: deps.nodes, connect, now: deps.now, ownDelay });

  const all = (tell: (follower: FlowFollower) => void): void => {
    for (const follower of count.keys()) tell(follower);
  };
  const listener: StreamListener = {
    flow(flow, node, seenAt) {
      const reached = new Set<FlowFollower>();
      for (const key of keysOf(flow)) for (const follower of followers.get(key) ?? []) reached.add(follower);
      for (const follower of reached) follower.flow(flow, node, seenAt);
    },
    gap: (node, at, reason, lost, patienceMs) => all((follower) => follower.gap(node, at, reason, lost, patienceMs)),
    sight: (node, at) => all((follower) => follower.sight(node, at)),
  };
  const stop = (): void => {
    streams?.close();
    streams = undefined;
  };
  const leave = (follower: FlowFollower): void => {
    for (const key of count.get(follower) ?? []) {
      followers.get(key)?.delete(follower);
      if (followers.get(key)?.size === 0) followers.delete(key);
    }
    count.delete(follower);
    if (count.size === 0) lingering = setTimeout(stop, LINGER_MS).unref();
  };

  return {
    follow(keys, follower, signal) {
      if (signal.aborted) return;
      clearTimeout(lingering);
      streams ??= openStreams({ ...deps, connect, ownDelay }, listener);
      for (const key of keys) followers.set(key, (followers.get(key) ?? new Set()).add(follower));
      count.set(follower, keys);
      for (const { node, at, reason, patienceMs } of streams.unseen()) follower.gap(node, at, reason, undefined, patienceMs);
      signal.addEventListener('abort', () => leave(follower), { once: true });
    },
    replay: (keys, since, follower, signal) => replays.replay(keys, since, follower, signal),
    async check(signal) {
      const nodes = await nodesNow(deps.nodes, signal);
      return Promise.all(nodes.map((node) => checkNode(connect(node), node.node)));
    },
    close: () => {
      clearTimeout(lingering);
      stop();
      ownDelay.close();
    },
  };
}

interface Streams {
  unseen(): readonly { readonly node: string; readonly at: number; readonly reason: string; readonly patienceMs?: number }[];
  close(): void;
}

type Connected = FlowsDeps & Pick<Required<FlowsDeps>, 'connect' | 'ownDelay'>;

/** One stream per node, kept in step with the nodes there are. */
function openStreams(deps: Connected, listener: StreamListener): Streams {
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
    tracked.gap(node, deps.now(), 'connecting');
    const signal = AbortSignal.any([stop.signal, own.signal]);
    void followNode({ node, observer, listener: tracked, now: deps.now, log: deps.log, signal, ownDelay: deps.ownDelay }).finally(() =>
      observer.close(),
    );
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
