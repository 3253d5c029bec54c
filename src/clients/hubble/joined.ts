import type { StreamListener } from './stream-listener.ts';

/** The same loss is told by both streams within this time, at the latest (ms). */
const SAME_LOSS_MS = 10_000;

interface Loss {
  readonly by: number;
  readonly at: number;
  readonly reason: string;
  readonly lost: number;
}

/**
 * Two streams of each node, told as one: a node is seen while both are, since what one brings means nothing without the other (a connection is
 * lost when no answer comes). An agent tells each of its streams what it has lost itself; that counts once.
 */
export function joined(listener: StreamListener): readonly [StreamListener, StreamListener] {
  const away = new Map<string, Set<number>>();
  const losses = new Map<string, Loss>();
  const isTold = (node: string, loss: Loss): boolean => {
    const { by, at, reason, lost } = losses.get(node) ?? loss;
    if (by !== loss.by && reason === loss.reason && lost === loss.lost && loss.at - at < SAME_LOSS_MS) return losses.delete(node);
    losses.set(node, loss);
    return false;
  };
  const part = (by: number): StreamListener => ({
    flow: (flow, node, seenAt) => listener.flow(flow, node, seenAt),
    gap(node, at, reason, lost, patienceMs) {
      if (lost !== undefined && isTold(node, { by, at, reason, lost })) return;
      away.set(node, (away.get(node) ?? new Set()).add(by));
      listener.gap(node, at, reason, lost, patienceMs);
    },
    sight(node, at) {
      const still = away.get(node);
      still?.delete(by);
      if (still && still.size > 0) return;
      away.delete(node);
      listener.sight(node, at);
    },
  });
  return [part(0), part(1)];
}
