import { type Checked, checkNode, nodesNow } from './ask.ts';
import { keysOf } from './flow.ts';
import { joined } from './joined.ts';
import type { HubbleNode } from './nodes.ts';
import { ANSWERS, BEGINNINGS, connectObserver } from './observer.ts';
import { measureOwnDelay } from './own-delay.ts';
import { createReplays } from './replays.ts';
import type { FlowFollower } from './stream-listener.ts';
import { RELAY, type StreamListener } from './stream-listener.ts';
import type { FlowsDeps } from './streams.ts';
import { openStreams, type Streams } from './streams.ts';

export { RELAY };

/** All flows of one cluster that any watch of this worker needs: one stream per node, fanned out here. */
export interface Flows {
  /**
   * Follows flows in which one of the `keys` takes part: a namespace name, an IP address, or EVERYTHING. Nodes that cannot be seen now are
   * told as gaps at once.
   */
  follow(keys: readonly string[], follower: FlowFollower, signal: AbortSignal): void;
  /** What the nodes still hold since `since` (epoch ms), for a watch that goes on elsewhere. Gaps for nodes that do not answer. */
  replay(keys: readonly string[], since: number, follower: FlowFollower, signal: AbortSignal): Promise<void>;
  /** Asks every agent once: which answer, and what is wrong with those that do not. */
  check(signal: AbortSignal): Promise<readonly Checked[]>;
  close(): void;
}

/** A key that every flow has. */
export const EVERYTHING = '*';

/** Streams that nobody follows are kept this long: the next stage follows the same nodes. */
const LINGER_MS = 30_000;

/** The flows of one cluster. Streams are opened with the first follower. */
export function createFlows(deps: FlowsDeps): Flows {
  const ownDelay = deps.ownDelay ?? measureOwnDelay();
  const connect = deps.connect ?? (({ address }: HubbleNode) => connectObserver(address));
  const connected = { ...deps, connect, ownDelay };
  const replays = createReplays({ nodes: deps.nodes, connect, now: deps.now, ownDelay });
  const watched = share((listener) => openStreams(connected, listener));
  // Apart, so that no burst of packets stands before a drop.
  const traced = share((listener) => openStreams(connected, listener, BEGINNINGS));
  // In one stream, so that no answer is missed whose beginning was seen.
  const answered = share((listener) => openStreams(connected, listener, [...BEGINNINGS, ...ANSWERS]));
  return {
    follow(keys, follower, signal) {
      if (follower.answers) {
        const [records, answers] = joined(follower);
        watched.follow(keys, records, signal);
        answered.follow(keys, answers, signal);
        return;
      }
      watched.follow(keys, follower, signal);
      // What is not seen of a node is told by its other stream.
      if (follower.traces) traced.follow(keys, { ...UNHEARD, flow: (...of) => follower.flow(...of) }, signal);
    },
    replay: (keys, since, follower, signal) => replays.replay(keys, since, follower, signal),
    async check(signal) {
      const nodes = await nodesNow(deps.nodes, signal);
      return Promise.all(nodes.map((node) => checkNode(connect(node), node.node)));
    },
    close: () => {
      watched.close();
      traced.close();
      answered.close();
      ownDelay.close();
    },
  };
}

const UNHEARD = { gap: () => undefined, sight: () => undefined };

/** The same streams for all who follow. */
function share(open: (listener: StreamListener) => Streams) {
  const followers = new Map<string, Set<StreamListener>>();
  const count = new Map<StreamListener, readonly string[]>();
  let streams: Streams | undefined;
  let lingering: NodeJS.Timeout | undefined;

  const all = (tell: (follower: StreamListener) => void): void => {
    for (const follower of count.keys()) tell(follower);
  };
  const listener: StreamListener = {
    flow(flow, node, seenAt) {
      const reached = new Set<StreamListener>();
      for (const key of [...keysOf(flow), EVERYTHING]) for (const follower of followers.get(key) ?? []) reached.add(follower);
      for (const follower of reached) follower.flow(flow, node, seenAt);
    },
    gap: (node, at, reason, lost, patienceMs) => all((follower) => follower.gap(node, at, reason, lost, patienceMs)),
    sight: (node, at) => all((follower) => follower.sight(node, at)),
  };
  const close = (): void => {
    clearTimeout(lingering);
    streams?.close();
    streams = undefined;
  };
  const leave = (follower: StreamListener): void => {
    for (const key of count.get(follower) ?? []) {
      followers.get(key)?.delete(follower);
      if (followers.get(key)?.size === 0) followers.delete(key);
    }
    count.delete(follower);
    if (count.size === 0) lingering = setTimeout(close, LINGER_MS).unref();
  };
  return {
    follow(keys: readonly string[], follower: StreamListener, signal: AbortSignal): void {
      if (signal.aborted) return;
      clearTimeout(lingering);
      streams ??= open(listener);
      for (const key of keys) followers.set(key, (followers.get(key) ?? new Set()).add(follower));
      count.set(follower, keys);
      for (const { node, at, reason, patienceMs } of streams.unseen()) follower.gap(node, at, reason, undefined, patienceMs);
      signal.addEventListener('abort', () => leave(follower), { once: true });
    },
    close,
  };
}
