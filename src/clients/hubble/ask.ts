import { depthOf } from './depth.ts';
import { keysOf, lostOf } from './flow.ts';
import type { HubbleNode, NodeSource } from './nodes.ts';
import { answersOf, type Observer, withTraces } from './observer.ts';
import type { OwnDelay } from './own-delay.ts';
import type { FlowFollower } from './stream-listener.ts';

/** A ring is given up when nothing of it has come for so long, the time aside in which this process was away (ms). */
const REPLAY_WITHIN_MS = 3_000;
const LONGEST_REPLAY_MS = 12_000;
const LOOK_EVERY_MS = 250;
const CHECK_WITHIN_MS = 3_000;

interface Asking {
  readonly connect: (node: HubbleNode) => Observer;
  readonly now: () => number;
  readonly ownDelay?: Pick<OwnDelay, 'within'> | undefined;
}

/** The nodes there are now. */
export async function nodesNow(source: NodeSource, signal: AbortSignal): Promise<readonly HubbleNode[]> {
  const done = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<readonly HubbleNode[]>();
  const deadline = AbortSignal.timeout(CHECK_WITHIN_MS);
  const giveUp = AbortSignal.any([signal, deadline]);
  giveUp.addEventListener(
    'abort',
    () => reject(signal.aborted ? (signal.reason as Error) : new Error('the nodes of the cluster could not be listed in time')),
    {
      once: true,
    },
  );
  source(resolve, AbortSignal.any([done.signal, giveUp]));
  try {
    return await promise;
  } finally {
    done.abort();
  }
}

/** A node that does not say how far back it reaches is told as far as it cannot be read, by its flows. */
async function reach(observer: Observer, node: string, until: number, follower: FlowFollower, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_WITHIN_MS)]);
  const found = await depthOf(observer, node, { until, deadlineMs: CHECK_WITHIN_MS }, limit).catch(() => undefined);
  if (found) follower.reached?.(node, found.since, found.held);
}

export interface Checked {
  readonly node: string;
  readonly problem?: string;
  /** It answers, and Relay does not reach these nodes. */
  readonly unreached?: readonly string[];
}

/** Asks one agent whether it is there and sees what it should. */
export async function checkNode(observer: Observer, node: string): Promise<Checked> {
  try {
    const status = await observer.status(CHECK_WITHIN_MS);
    const unreached = status.unavailable_nodes ?? [];
    return unreached.length > 0 ? { node, problem: `does not reach ${unreached.join(', ')}`, unreached } : { node };
  } catch (error) {
    return { node, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    observer.close();
  }
}

/** Whose flows are wanted: of these keys, and of these namespaces more. */
interface Wanted {
  readonly keys: ReadonlySet<string>;
  readonly traced: readonly string[];
  readonly answered?: readonly string[];
  /** Also how far back the ring reaches. */
  readonly depth?: boolean;
}

/**
 * Tells what one node still holds since `since`, of the namespaces `traced` the traces too, of `answered` how those go on, and what it has lost since then: the ring holds that in its
 * place. What cannot be read is told as a gap.
 */
export async function replayNode(
  deps: Asking,
  node: HubbleNode,
  since: number,
  { keys, traced, answered = [], depth = false }: Wanted,
  follower: FlowFollower,
  signal: AbortSignal,
): Promise<void> {
  const observer = deps.connect(node);
  const startedAt = deps.now();
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let heardAt = startedAt;
  const whitelist = [...withTraces(traced), ...(answered.length > 0 ? answersOf(answered) : [])];
  const stream = observer.flows(
    { follow: false, since, until: startedAt, ...(traced.length > 0 && { whitelist }) },
    (response) => {
      const { flow, node_name } = response;
      heardAt = deps.now();
      const lost = lostOf(response);
      if (lost) {
        follower.gap(node_name || node.node, lost.at ?? heardAt, lost.source, lost.count);
        follower.sight(node_name || node.node, heardAt);
      }
      if (flow && keysOf(flow).some((key) => keys.has(key))) follower.flow(flow, node_name || node.node, deps.now());
    },
    resolve,
  );
  const tooLate = (): void => resolve('no answer in time');
  const timer = setInterval(() => {
    const silentMs = deps.now() - heardAt;
    const ownMs = deps.ownDelay?.within(silentMs) ?? 0;
    if (silentMs - ownMs > REPLAY_WITHIN_MS || deps.now() - startedAt > LONGEST_REPLAY_MS) tooLate();
  }, LOOK_EVERY_MS);
  signal.addEventListener('abort', tooLate, { once: true });
  if (signal.aborted) tooLate();
  const reaching = depth ? reach(observer, node.node, startedAt, follower, signal) : undefined;
  const problem = await promise;
  if (problem === undefined) await reaching;
  clearInterval(timer);
  signal.removeEventListener('abort', tooLate);
  stream.cancel();
  observer.close();
  if (problem === undefined) return;
  follower.gap(node.node, startedAt, `what came before the watch was resumed cannot be read: ${problem}`, 1);
  follower.sight(node.node, deps.now());
}
