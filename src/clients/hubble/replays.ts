import { setTimeout as sleep } from 'node:timers/promises';
import { nodesNow, replayNode } from './ask.ts';
import { type Flow, isTrace, keysOf } from './flow.ts';
import type { HubbleNode, NodeSource } from './nodes.ts';
import type { Observer } from './observer.ts';
import type { OwnDelay } from './own-delay.ts';
import type { FlowFollower } from './stream-listener.ts';

interface ReplaysDeps {
  readonly nodes: NodeSource;
  readonly connect: (node: HubbleNode) => Observer;
  readonly now: () => number;
  readonly ownDelay?: Pick<OwnDelay, 'within'> | undefined;
}

interface Asked {
  readonly keys: readonly string[];
  readonly since: number;
  readonly follower: FlowFollower;
  readonly signal: AbortSignal;
  readonly done: PromiseWithResolvers<void>;
}

/** Reading back for many watches at once: when a worker takes over a thousand operations, each node is still asked once. */
interface Replays {
  replay(keys: readonly string[], since: number, follower: FlowFollower, signal: AbortSignal): Promise<void>;
}

function isFor({ traces, answers }: FlowFollower, flow: Flow): boolean {
  if (!isTrace(flow)) return true;
  return flow.is_reply?.value === true ? answers === true : traces === true;
}

/** Who asks within this time is served by one reading (ms). */
const GATHER_MS = 50;

export function createReplays(deps: ReplaysDeps): Replays {
  let gathering: Asked[] | undefined;
  const read = async (asked: readonly Asked[]): Promise<void> => {
    const present = asked.filter(({ signal }) => !signal.aborted);
    const byKey = new Map<string, Asked[]>();
    for (const one of present) for (const key of one.keys) byKey.set(key, [...(byKey.get(key) ?? []), one]);
    const everybody: FlowFollower = {
      flow(flow, node, seenAt) {
        const reached = new Set(keysOf(flow).flatMap((key) => byKey.get(key) ?? []));
        for (const { follower } of reached) if (isFor(follower, flow)) follower.flow(flow, node, seenAt);
      },
      gap(node, at, reason, lost) {
        // What was lost before a watch had heard what it knows is not its own loss.
        for (const { follower, since } of present) if (at >= since) follower.gap(node, at, reason, lost);
      },
      reached(node, at, records) {
        for (const { follower } of present) follower.reached?.(node, at, records);
      },
      sight(node, at) {
        for (const { follower } of present) follower.sight(node, at);
      },
    };
    // Who is stopped meanwhile hears what comes and heeds it no more; the reading ends by its own deadline.
    const { signal } = new AbortController();
    const since = Math.min(...present.map((one) => one.since));
    const keys = new Set(byKey.keys());
    const keysFor = (holds: (follower: FlowFollower) => boolean | undefined): readonly string[] => [
      ...new Set(present.filter(({ follower }) => holds(follower)).flatMap((one) => one.keys)),
    ];
    const traced = keysFor(({ traces }) => traces);
    const answered = keysFor(({ answers }) => answers);
    const depth = present.some(({ follower }) => follower.reached !== undefined);
    await Promise.all(
      (await nodesNow(deps.nodes, signal)).map((node) =>
        replayNode(deps, node, since, { keys, traced, answered, depth }, everybody, signal),
      ),
    );
  };
  return {
    replay(keys, since, follower, signal) {
      const one: Asked = { keys, since, follower, signal, done: Promise.withResolvers() };
      signal.addEventListener('abort', () => one.done.reject(signal.reason as Error), { once: true });
      if (gathering) gathering.push(one);
      else {
        const asked = [one];
        gathering = asked;
        sleep(GATHER_MS)
          .then(() => {
            gathering = undefined;
            return read(asked);
          })
          .then(
            () => asked.forEach(({ done }) => done.resolve()),
            (error: unknown) => asked.forEach(({ done }) => done.reject(error)),
          );
      }
      return one.done.promise;
    },
  };
}
