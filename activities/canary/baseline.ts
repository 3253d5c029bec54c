import type { Flows } from '../../src/clients/hubble/flows.ts';
import type { Cluster } from '../../src/clients/kubernetes/cluster.ts';
import { ENDPOINT_SLICE, type EndpointSlice } from '../../src/clients/kubernetes/objects.ts';
import type { CanaryDetails } from '../../src/domain/canary/details.ts';
import { lowerBound } from '../../src/domain/judge/bound.ts';
import { shareWords } from '../../src/domain/judge/words.ts';
import type { OperationSettings } from '../../src/domain/lifecycle/settings.ts';
import { percent } from '../../src/domain/words/words.ts';
import { type Impossible, refused } from '../planning/impossible.ts';

import { createRequestReader } from './requests.ts';
import { nodesOf, Sides } from './sides.ts';

/** How far back is looked: long enough for a rate, short enough that an incident which is over does not count. */
const BEFORE_MS = 60_000;

export type Baseline = NonNullable<CanaryDetails['baseline']>;

interface BaselineDeps {
  readonly cluster: Cluster;
  readonly flows: Flows;
  readonly now: () => number;
}

/** What is known of the time just before, and where this traffic runs. */
export interface Before {
  /** Absent where nothing of it is held any more. */
  readonly baseline?: Baseline;
  /** Nodes that reported some of it. */
  readonly reporters: readonly string[];
  /** Nodes of the endpoints; undefined for one that does not say. */
  readonly nodes: readonly (string | undefined)[];
}

/**
 * What the service's other backends did in the last minute, out of the rings of the agents: requests and failures, and the time that is covered.
 * Rejects when aborted.
 */
export async function readBaseline(
  deps: BaselineDeps,
  { namespace, receiver, others }: CanaryDetails,
  latencyLimitMs: number,
  signal: AbortSignal,
): Promise<Before> {
  const { sides, nodes } = await sidesOf(deps, namespace, receiver, others, signal);
  const requests = createRequestReader({ sides, latencyLimitMs });
  const seen: { readonly at: number; readonly failed: boolean }[] = [];
  /** The rings are of one size each: what all nodes still hold begins where the shortest one does. */
  const firsts = new Map<string, number>();
  const until = deps.now();
  const follower = {
    flow: (flow: Parameters<typeof requests.read>[0], node: string, seenAt: number): void => {
      const event = requests.read(flow, node, seenAt);
      if (event?.kind !== 'request') return;
      firsts.set(node, Math.min(event.at, firsts.get(node) ?? event.at));
      if (event.side === 'stable') seen.push(event);
    },
    gap: (): void => undefined,
    sight: (): void => undefined,
  };
  await deps.flows.replay([namespace], until - BEFORE_MS, follower, signal);
  const from = Math.max(until - BEFORE_MS, ...firsts.values());
  const covered = seen.filter(({ at }) => at >= from);
  const where = { reporters: [...firsts.keys()], nodes };
  if (covered.length === 0) return where;
  const baseline = {
    requests: covered.length,
    failures: covered.filter(({ failed }) => failed).length,
    ms: Math.max(1, until - from),
  };
  return { ...where, baseline };
}

async function sidesOf(
  { cluster }: BaselineDeps,
  namespace: string,
  receiver: string,
  others: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly sides: Sides; readonly nodes: Before['nodes'] }> {
  const sides = new Sides();
  const services = [[receiver, 'canary'], ...others.map((name) => [name, 'stable'] as const)] as const;
  const select = (name: string): { namespace: string; labelSelector: string } => ({
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  });
  const found = await Promise.all(
    services.map(async ([name, side]) => {
      const { items } = await cluster.list<EndpointSlice>(ENDPOINT_SLICE, select(name), { signal });
      sides.endpoints(side, items);
      return nodesOf(items);
    }),
  );
  return { sides, nodes: found.flat() };
}

/** With this confidence the others break the objective before anybody calls them broken. */
const SURE = 0.01;

/** Others that break the objective themselves: a canary that is no worse than they are would be called harmful. */
export function checkStable(
  { requests, failures }: Baseline,
  { others, unsplit }: CanaryDetails,
  { objective, slo }: OperationSettings,
): Impossible | undefined {
  // What is held to the others may fail as they do.
  const isCompared = unsplit === undefined && (slo === 'relative' || slo === 'excused');
  if (isCompared || lowerBound(failures, requests, SURE) <= objective) return undefined;
  return refused('StableFails', { services: others, seen: shareWords({ requests, failures }), objective: percent(objective) });
}
