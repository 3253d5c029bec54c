import type { OperationTruth } from './operation-truth.ts';
import type { Truth } from './truth.ts';
import type { System } from './world/faults.ts';
import { NODES } from './world/mesh.ts';

/** How long what was away may take to be of use again (ms): retries, heartbeats, streams that are opened anew. */
const WELL_MS = 20_000;
/** Evidence that is later than this is no evidence (ms): the watch is blind, and holds. */
const LATE_MS = 1_500;

/**
 * Is a change of this operation in force that gives the canary more than it had before it? One that has only claimed the route exposes
 * nobody: a claim that comes late leaves a token behind, and a share beside it is another hand's.
 */
export function isExposing(truth: Truth, operation: OperationTruth): boolean {
  const { shareBefore, writes } = operation;
  const hasRaised = writes.some(({ to }) => to > shareBefore + 1e-9);
  return hasRaised && truth.byToken(truth.token) === operation && truth.written > shareBefore + 1e-9;
}

/** Have these systems been well for some time, and is there a worker since then? What was away comes up again within its retries. */
export function canAct({ world }: Truth, systems: readonly System[]): boolean {
  const { faults, temporal } = world;
  return temporal.workedFor(WELL_MS) && systems.every((system) => faults.wellFor(system, WELL_MS));
}

/** Could harm be seen now by a watch: requests come, flows come in time, and the API takes an undo? */
export function isSeen(truth: Truth): boolean {
  const { agents, traffic, clocks } = truth.world;
  return (
    clocks.lag <= LATE_MS &&
    canAct(truth, ['hubble', 'api', 'worker']) &&
    !traffic.quiet &&
    agents.nodes.every(({ node }) => node === 'node-other' || !agents.isAway(node))
  );
}

/** Is a watch of the operation under way that would fire? */
export function isWatched(operation: OperationTruth): boolean {
  return operation.watches.some(({ attempt, input, endedAt }) => endedAt === undefined && attempt.isLive() && input.purpose !== 'restored');
}

/** Records that an agent has lost, and whose traffic its node carried at that time. */
export interface Lost {
  readonly at: number;
  readonly count: number;
  /** The gateway's requests, or pods that answer them. */
  readonly requests: boolean;
  /** The policy operations of whose pods some were there. */
  readonly policies: ReadonlySet<string>;
}

/** Whose traffic a node carries now, by where the pods are: not by what the product takes for its own. */
export function carriedBy({ world, policy }: Truth, node: string): Pick<Lost, 'requests' | 'policies'> {
  const hasPods = node === NODES.pods && (['stable', 'canary'] as const).some((side) => world.mesh.pods(side).length > 0);
  return { requests: node === NODES.gateway || hasPods, policies: policy.carriedBy(node) };
}
