import { compilePolicies, type Evaluator } from '../evaluator.ts';
import type { PolicyFlow, PolicyService } from '../flow.ts';
import type { Direction, Policy } from '../policy.ts';
import { denialDoubt } from './doubts.ts';
import { type FlowContext, type FlowExample, mapFlow, type SeenFlow, type UnknownReason } from './flow.ts';
import { createGroups, type FlowGroup } from './group.ts';
import type { ReadFlow } from './recorded.ts';

export interface DryRunInput {
  /** As they come out of a recording, in any order. */
  readonly flows: Iterable<ReadFlow>;
  /** All policies in force now. */
  readonly inForce: readonly Policy[];
  /** Takes the place of the one with its kind, namespace and name, or is added. */
  readonly candidate: Policy;
  readonly clusterName?: string;
  /** Services that exist; left out: not known. */
  readonly services?: readonly PolicyService[];
  readonly context?: FlowContext;
}

export interface DryRun {
  /** Allowed under the policies in force, denied with the candidate. */
  readonly wouldDrop: readonly FlowGroup[];
  /** Denied under the policies in force, allowed with the candidate. */
  readonly wouldAllow: readonly FlowGroup[];
  /** Connections and requests of the pods that the candidate selects which stay as they are. */
  readonly stillAllowed: number;
  readonly stillDenied: number;
  readonly unknown: readonly UnknownFlows[];
  /** Decided otherwise by the cluster when they were seen than the policies in force now would: those have changed since, or differ per node. */
  readonly decidedOtherwise: { readonly count: number; readonly example?: FlowExample };
  /** Records read; those that were no flows; events the recorder lost. */
  readonly records: number;
  readonly unreadable: number;
  readonly lost: number;
  /** Groups beyond the limit hold this many more. */
  readonly overflow: number;
  /** Epoch ms of the earliest and latest record that was read; undefined when there was none. */
  readonly from: number | undefined;
  readonly until: number | undefined;
}

/** Connections that say too little: listed, never guessed. */
export interface UnknownFlows {
  readonly reason: UnknownReason;
  readonly direction: Direction | undefined;
  readonly count: number;
  readonly example: FlowExample;
}

/**
 * Decides what was seen under the policies in force and with the candidate among them. One connection counts once, however many events
 * tell of it; each end is judged where it was seen.
 */
export function dryRun(input: DryRunInput): DryRun {
  const run = new Run(input);
  for (const read of input.flows) run.take(read);
  return run.result();
}

/** The same, yielding after every flow, so that a caller can let others have their turn. */
export function* dryRunSteps(input: DryRunInput): Generator<undefined, DryRun> {
  const run = new Run(input);
  for (const read of input.flows) {
    run.take(read);
    yield undefined;
  }
  return run.result();
}

/** The policies as they would be with the candidate. */
export function withCandidate(inForce: readonly Policy[], candidate: Policy): readonly Policy[] {
  const isReplaced = ({ kind, namespace, name }: Policy) =>
    kind === candidate.kind && namespace === candidate.namespace && name === candidate.name;
  return [...inForce.filter((policy) => !isReplaced(policy)), candidate];
}

class Run {
  readonly #before: Evaluator;
  readonly #after: Evaluator;
  readonly #alone: Evaluator;
  readonly #doubtBefore: ReturnType<typeof denialDoubt>;
  readonly #doubtAfter: ReturnType<typeof denialDoubt>;
  readonly #context: FlowContext;
  readonly #drops = createGroups();
  readonly #allows = createGroups();
  readonly #unknown = new Map<string, UnknownFlows>();
  readonly #seen = new Set<string>();
  readonly #counts = { stillAllowed: 0, stillDenied: 0, records: 0, unreadable: 0, lost: 0 };
  #otherwise: { count: number; example?: FlowExample } = { count: 0 };
  #from: number | undefined;
  #until: number | undefined;

  constructor({ inForce, candidate, clusterName, services, context }: DryRunInput) {
    const world = { ...(clusterName === undefined ? {} : { clusterName }), ...(services === undefined ? {} : { services }) };
    const after = withCandidate(inForce, candidate);
    this.#before = compilePolicies(inForce, world);
    this.#after = compilePolicies(after, world);
    this.#alone = compilePolicies([candidate], world);
    this.#doubtBefore = denialDoubt(inForce, candidate.namespace, services !== undefined);
    this.#doubtAfter = denialDoubt(after, candidate.namespace, services !== undefined);
    this.#context = context ?? {};
  }

  take(read: ReadFlow): void {
    if (read.kind === 'lost') this.#counts.lost += read.events;
    if (read.kind === 'unreadable') this.#counts.unreadable += 1;
    if (read.kind !== 'flow') return;
    this.#counts.records += 1;
    const at = read.flow.time;
    if (!Number.isNaN(at)) {
      this.#from = Math.min(this.#from ?? at, at);
      this.#until = Math.max(this.#until ?? at, at);
    }
    const mapped = mapFlow(read.flow, this.#context);
    if (mapped.kind === 'seen') for (const seen of mapped.seen) this.#decide(seen);
    if (mapped.kind !== 'unknown') return;
    const { source, destination, direction, id, example, reason } = mapped;
    const ends = direction === undefined ? [source, destination] : [direction === 'ingress' ? destination : source];
    // An end without labels might be one of the pods in question.
    if (ends.some((end) => end.labels.length === 0 || end.labels.includes('reserved:unknown') || this.#selects(end))) {
      this.#doubt(reason, direction, id, example);
    }
  }

  result(): DryRun {
    return {
      wouldDrop: this.#drops.list,
      wouldAllow: this.#allows.list,
      ...this.#counts,
      unknown: [...this.#unknown.values()].toSorted((a, b) => b.count - a.count),
      decidedOtherwise: this.#otherwise,
      overflow: this.#drops.overflow + this.#allows.overflow,
      from: this.#from,
      until: this.#until,
    };
  }

  #decide(seen: SeenFlow): void {
    const { flow, direction, id } = seen;
    const before = this.#before.decide(flow)[direction];
    const after = this.#after.decide(flow)[direction];
    if (!before || !after || !this.#selects(direction === 'ingress' ? flow.destination : flow.source)) return;
    // A connection that is denied as such has no requests to speak of.
    if (seen.unit === 'request' && (before.l4 === 'denied' || after.l4 === 'denied')) return;
    // A retransmission is the same connection; a verdict and a drop of it are the same event.
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (seen.decided !== undefined && (seen.decided === 'allowed') !== before.allowed) {
      this.#otherwise = { count: this.#otherwise.count + 1, example: this.#otherwise.example ?? seen.example };
    }
    const doubt = before.allowed === after.allowed ? undefined : (after.allowed ? this.#doubtBefore : this.#doubtAfter)(flow, direction);
    if (doubt !== undefined) this.#doubt(doubt, direction, `${id} decided`, seen.example);
    else if (before.allowed && !after.allowed) this.#drops.add(seen, () => this.#why(flow, direction));
    else if (!before.allowed && after.allowed) this.#allows.add(seen, () => this.#why(flow, direction));
    else if (after.allowed) this.#counts.stillAllowed += 1;
    else this.#counts.stillDenied += 1;
  }

  #why(flow: PolicyFlow, direction: Direction): string {
    return this.#after.explain(flow)[direction]?.words ?? '';
  }

  #selects(peer: PolicyFlow['source']): boolean {
    const world = { labels: ['reserved:world'] };
    const inward = this.#alone.decide({ source: world, destination: peer, protocol: 'TCP', destinationPort: 1 }).ingress?.selected;
    return (
      inward || this.#alone.decide({ source: peer, destination: world, protocol: 'TCP', destinationPort: 1 }).egress?.selected || false
    );
  }

  #doubt(reason: UnknownReason, direction: Direction | undefined, id: string, example: FlowExample): void {
    if (this.#seen.has(`${reason} ${id}`)) return;
    this.#seen.add(`${reason} ${id}`);
    const key = `${reason} ${direction}`;
    const known = this.#unknown.get(key);
    this.#unknown.set(key, known ? { ...known, count: known.count + 1 } : { reason, direction, count: 1, example });
  }
}
