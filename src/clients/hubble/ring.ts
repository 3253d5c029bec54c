import { nodesNow } from './ask.ts';
import { type Depth, depthOf, streamed } from './depth.ts';
import type { Endpoint, Flow } from './flow.ts';
import type { HubbleNode, NodeSource } from './nodes.ts';
import type { Observer } from './observer.ts';

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
