import { millisecondsOf } from './flow.ts';
import type { Observer } from './observer.ts';
import { RELAY } from './stream-listener.ts';

/** How far back a node's ring reaches. */
export interface Depth {
  readonly node: string;
  /** Epoch ms. */
  readonly since: number;
  /** How many flows it holds at most, where it is full. */
  readonly full?: number;
  /** How many it holds. */
  readonly held: number;
}

/** A ring that is full reaches back to its oldest flow, one that is not to the start of its agent. Relay gives the oldest flow of each node. */
export async function depthOf(
  observer: Observer,
  node: string,
  { until, deadlineMs }: { readonly until: number; readonly deadlineMs: number },
  signal: AbortSignal,
): Promise<Depth> {
  const [status, firsts] = await Promise.all([
    observer.status(deadlineMs),
    streamed(observer, { follow: false, whitelist: [], first: 1 }, signal, () => undefined),
  ]);
  const { num_flows: held = 0, max_flows: most = 0, uptime_ns: uptime = 0 } = status;
  const times = firsts.map(({ flow }) => millisecondsOf(flow?.time)).filter((time) => time > 0);
  const oldest = times.length === 0 ? until : Math.max(...times);
  // Its numbers are sums over all nodes.
  if (node === RELAY) return { node, since: oldest, held };
  if (most > 0 && held >= most) return { node, since: oldest, held, full: most };
  return { node, since: uptime > 0 ? Math.min(oldest, until - uptime / 1e6) : oldest, held };
}

type Response = Parameters<Parameters<Observer['flows']>[1]>[0];

/** Everything of one finite stream; rejects with the reason when it breaks or the signal aborts. */
export async function streamed(
  observer: Observer,
  request: Parameters<Observer['flows']>[0],
  signal: AbortSignal,
  hear: (response: Response) => void,
): Promise<readonly Response[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Response[]>();
  const heard: Response[] = [];
  const stream = observer.flows(
    request,
    (response) => {
      if (request.first !== undefined) heard.push(response);
      hear(response);
    },
    (reason) => (reason === undefined ? resolve(heard) : reject(new Error(reason))),
  );
  const giveUp = (): void => {
    stream.cancel();
    reject(new Error('no answer in time'));
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
