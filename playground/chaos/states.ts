import type { Phase } from '../../src/domain/lifecycle/operation.ts';
import type { OperationTruth } from './operation-truth.ts';
import type { Truth } from './truth.ts';
import { MODES, SYSTEMS } from './world/faults.ts';

export const PHASES: readonly Phase[] = ['planning', 'waiting', 'applying', 'watching', 'holding', 'afterwatch', 'restoring', 'over'];

/** What can be wrong, as the table of visited states names it. */
export const TROUBLES: readonly string[] = [
  'none',
  ...SYSTEMS.flatMap((system) => MODES.map((mode) => `${system} ${mode}`)),
  'canary fails',
  'noise',
  'no canary pods',
  'no stable pods',
  'agent away',
  'other hands',
  'frozen',
  'no traffic',
  'clocks apart',
  'two workers',
  'pods relabelled',
  'selectors overlap',
];

/** An operation that has ended is looked at for so long (ms). */
const OVER_MS = 60_000;
/** What another hand has done is a trouble for so long, and for as long as the operation stands that it was done to (ms). */
const TOUCHED_MS = 60_000;

/** How often each phase was met together with each trouble. */
export class States {
  readonly #visits = new Map<string, number>();

  /** Every operation as it stands now. */
  visit(truth: Truth): void {
    const troubles = troublesNow(truth);
    for (const operation of truth.operations) this.#met(truth, operation, troubles);
  }

  /** One operation, of which something was just tried. */
  meet(truth: Truth, operation: OperationTruth): void {
    this.#met(truth, operation, troublesNow(truth));
  }

  #met({ now }: Truth, { phase, closedAt }: OperationTruth, troubles: readonly string[]): void {
    if (phase === undefined || (closedAt !== undefined && now - closedAt > OVER_MS)) return;
    for (const trouble of troubles) this.#add(`${closedAt === undefined ? phase : 'over'}/${trouble}`, 1);
  }

  add(other: States): void {
    this.addAll(other.entries());
  }

  addAll(entries: Iterable<readonly [string, number]>): void {
    for (const [key, count] of entries) this.#add(key, count);
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#visits];
  }

  #add(key: string, count: number): void {
    this.#visits.set(key, (this.#visits.get(key) ?? 0) + count);
  }

  /** Phase by trouble, those that were never met with 0. */
  table(): Record<string, Record<string, number>> {
    const row = (phase: string): Record<string, number> =>
      Object.fromEntries(TROUBLES.map((trouble) => [trouble, this.#visits.get(`${phase}/${trouble}`) ?? 0]));
    return Object.fromEntries(PHASES.map((phase) => [phase, row(phase)]));
  }
}

function troublesNow({ world, holder, freezes, touchedAt, now }: Truth): readonly string[] {
  const { faults, traffic, mesh, agents, clocks, temporal, workload } = world;
  const troubles = faults.present.map(([system, mode]) => `${system} ${mode}`);
  if (traffic.failing.canary >= 0.5) troubles.push('canary fails');
  if (traffic.failing.stable > 0) troubles.push('noise');
  if (mesh.pods('canary').length === 0) troubles.push('no canary pods');
  if (mesh.pods('stable').length === 0) troubles.push('no stable pods');
  if (agents.nodes.some(({ node }) => agents.isAway(node))) troubles.push('agent away');
  if ((holder?.foreign.length ?? 0) > 0 || now - touchedAt < TOUCHED_MS) troubles.push('other hands');
  if (freezes.holds(now)) troubles.push('frozen');
  if (traffic.quiet) troubles.push('no traffic');
  if (clocks.apart > 0) troubles.push('clocks apart');
  if (temporal.workers.length > 1) troubles.push('two workers');
  if (workload.isRelabelled) troubles.push('pods relabelled');
  if (workload.overlaps) troubles.push('selectors overlap');
  return troubles.length === 0 ? ['none'] : troubles;
}
