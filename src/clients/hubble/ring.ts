import { nodesNow } from './ask.ts';
import { type Endpoint, type Flow, millisecondsOf } from './flow.ts';
import type { HubbleNode, NodeSource } from './nodes.ts';
import type { Observer } from './observer.ts';
import { RELAY } from './stream-listener.ts';

/** What the agents still hold, and how far back that goes. */
export interface RingContents {
  readonly flows: readonly Flow[];
  /** Events that the agents themselves say are missing. */
  readonly lost: number;
  /** Since when every node that answered still holds all its flows (epoch ms); undefined when none answered. */
  readonly reachesTo: number | undefined;
  /** The node whose ring reaches back least, and how many flows fill it; absent where none is full. */
  readonly shortest?: { readonly node: string; readonly flows: number };
  readonly nodes: number;
  /** Nodes that did not answer, and why. */
  readonly gaps: readonly { readonly node: string; readonly reason: string }[];
  /** More flows than are read; the newest were left out. */
  readonly cut: boolean;
}

export interface RingRequest {
  /** Only flows with an end in one of these namespaces. */
  readonly namespaces: readonly string[];
  /** Epoch ms. */
  readonly since: number;
  readonly until: number;
  readonly deadlineMs: number;
}

interface RingDeps {
  readonly nodes: NodeSource;
  readonly connect: (node: HubbleNode) => Observer;
}

/** A ring holds 4,095 flows unless configured otherwise, which busy nodes fill in half a minute; so many are read of all nodes together. */
const MOST_FLOWS = 200_000;
/** Drops, traces, policy verdicts and access logs: what tells of connections (monitor event types). */
const EVENTS = [1, 4, 5, 129].map((type) => ({ type }));

/** Reads the rings of all nodes once. A node that does not answer within the deadline is a gap, never an error. */
export async function readRings(deps: RingDeps, request: RingRequest, signal: AbortSignal): Promise<RingContents> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(request.deadlineMs)]);
  const flows: Flow[] = [];
  const keep = sharingEnds();
  const gaps: { node: string; reason: string }[] = [];
  const depths: Depth[] = [];
  const counts = { lost: 0, cut: false };
  const nodes = await nodesNow(deps.nodes, limit);
  await Promise.all(
    nodes.map(async (node) => {
      const observer = deps.connect(node);
      try {
        depths.push(await depthOf(observer, node.node, request, limit));
        await streamed(
          observer,
          { follow: false, since: request.since, until: request.until, whitelist: whitelistOf(request) },
          limit,
          (one) => {
            counts.lost += one.lost_events?.num_events_lost ?? 0;
            if (!one.flow) return;
            if (flows.length < MOST_FLOWS) flows.push(keep(one.flow));
            else counts.cut = true;
          },
        );
      } catch (error) {
        signal.throwIfAborted();
        gaps.push({ node: node.node, reason: error instanceof Error ? error.message : String(error) });
      } finally {
        observer.close();
      }
    }),
  );
  const least = depths.toSorted((a, b) => b.since - a.since)[0];
  const shortest = least?.full === undefined ? {} : { shortest: { node: least.node, flows: least.full } };
  return { flows, gaps, nodes: nodes.length, reachesTo: least?.since, ...shortest, ...counts };
}

interface Depth {
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
  { until, deadlineMs }: Pick<RingRequest, 'until' | 'deadlineMs'>,
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

/**
 * Flows whose ends are one object wherever they are the same: of some hundred thousand, their labels would be most of the memory, which the garbage
 * collector goes through while everything else on this thread waits.
 */
export function sharingEnds(): (flow: Flow) => Flow {
  const known = new Map<string, Endpoint>();
  const shared = (end: Endpoint): Endpoint => {
    const { identity, namespace, pod_name, labels } = end;
    const key = [identity, namespace, pod_name, ...(labels ?? [])].join('\n');
    const one = known.get(key) ?? end;
    known.set(key, one);
    return one;
  };
  return ({ source, destination, ...rest }) => ({
    ...rest,
    ...(source && { source: shared(source) }),
    ...(destination && { destination: shared(destination) }),
  });
}

function whitelistOf({ namespaces }: RingRequest): readonly object[] {
  const pods = namespaces.map((namespace) => `${namespace}/`);
  return [
    { source_pod: pods, event_type: EVENTS },
    { destination_pod: pods, event_type: EVENTS },
  ];
}

type Response = Parameters<Parameters<Observer['flows']>[1]>[0];

/** Everything of one finite stream; rejects with the reason when it breaks or the signal aborts. */
async function streamed(
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
