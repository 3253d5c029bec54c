import { nodesNow } from './ask.ts';
import { type Flow, millisecondsOf } from './flow.ts';
import type { HubbleNode, NodeSource } from './flows.ts';
import type { Observer } from './observer.ts';

/** What the agents still hold, and how far back that goes. */
export interface RingContents {
  readonly flows: readonly Flow[];
  /** Events that the agents themselves say are missing. */
  readonly lost: number;
  /** Since when every node that answered still holds all its flows (epoch ms); undefined when none answered. */
  readonly reachesTo: number | undefined;
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

export interface RingDeps {
  readonly nodes: NodeSource;
  readonly connect: (node: HubbleNode) => Observer;
}

/** A ring holds 4,095 flows unless configured otherwise; so many are read of all nodes together. */
const MOST_FLOWS = 200_000;
/** Drops, traces, policy verdicts and access logs: what tells of connections (monitor event types). */
const EVENTS = [1, 4, 5, 129].map((type) => ({ type }));

/** Reads the rings of all nodes once. A node that does not answer within the deadline is a gap, never an error. */
export async function readRings(deps: RingDeps, request: RingRequest, signal: AbortSignal): Promise<RingContents> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(request.deadlineMs)]);
  const flows: Flow[] = [];
  const gaps: { node: string; reason: string }[] = [];
  const oldest: number[] = [];
  const counts = { lost: 0, cut: false };
  const nodes = await nodesNow(deps.nodes, limit);
  await Promise.all(
    nodes.map(async (node) => {
      const observer = deps.connect(node);
      try {
        const first = await streamed(observer, { follow: false, whitelist: [], first: 1 }, limit, () => undefined);
        const at = first.map(({ flow }) => millisecondsOf(flow?.time)).find((time) => time > 0);
        oldest.push(at ?? request.until);
        await streamed(
          observer,
          { follow: false, since: request.since, until: request.until, whitelist: whitelistOf(request) },
          limit,
          (one) => {
            counts.lost += one.lost_events?.num_events_lost ?? 0;
            if (!one.flow) return;
            if (flows.length < MOST_FLOWS) flows.push(one.flow);
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
  return { flows, gaps, nodes: nodes.length, reachesTo: oldest.length === 0 ? undefined : Math.max(...oldest), ...counts };
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
