import { compilePolicies, type Evaluator } from '../evaluator.ts';
import type { PolicyFlow, PolicyService } from '../flow.ts';
import type { Direction, Policy } from '../policy.ts';
import { atWorst, type Hidden, withoutConditions } from '../worst.ts';
import { type FlowContext, type FlowExample, mapFlow, type SeenFlow, type UnknownReason } from './flow.ts';
import { createGroups, type FlowGroup } from './group.ts';
import { queryWords } from './query-words.ts';
import type { ReadFlow } from './recorded.ts';
import { SeenSet } from './seen.ts';
import { PolicySide, type Said } from './side.ts';

export interface DryRunInput extends DryRunOptions {
  /** As they come out of a recording, in any order. */
  readonly flows: Iterable<ReadFlow>;
}

export interface DryRunOptions {
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
interface UnknownFlows {
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
  const run = new DryRunner(input);
  for (const read of input.flows) run.take(read);
  return run.result();
}

/** The same, yielding after every flow, so that a caller can let others have their turn. */
export function* dryRunSteps(input: DryRunInput): Generator<undefined, DryRun> {
  const run = new DryRunner(input);
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

/** Sets of labels that are known to be selected or not. */
const MOST_PEERS = 100_000;

/** A dry-run that is fed one record at a time: what it keeps does not grow with the recording. */
export class DryRunner {
  readonly #before: PolicySide;
  readonly #after: PolicySide;
  readonly #alone: Evaluator;
  readonly #candidate: Policy;
  readonly #isConditional: boolean;
  /** With what a deny rule of the candidate may match and the documents do not tell. */
  readonly #worst: Readonly<Partial<Record<Hidden, Evaluator>>>;
  readonly #context: FlowContext;
  readonly #drops = createGroups();
  readonly #allows = createGroups();
  readonly #unknown = new Map<string, UnknownFlows>();
  readonly #seen = new SeenSet();
  readonly #selected = new Map<string, boolean>();
  readonly #counts = { stillAllowed: 0, stillDenied: 0, records: 0, unreadable: 0, lost: 0 };
  #otherwise: { count: number; example?: FlowExample } = { count: 0 };
  #from: number | undefined;
  #until: number | undefined;

  constructor({ inForce, candidate, clusterName, services, context }: DryRunOptions) {
    const world = { ...(clusterName === undefined ? {} : { clusterName }), ...(services === undefined ? {} : { services }) };
    const after = withCandidate(inForce, candidate);
    this.#candidate = candidate;
    this.#before = new PolicySide(inForce, world, candidate.namespace);
    this.#after = new PolicySide(after, world, candidate.namespace);
    this.#isConditional = withoutConditions([candidate]) !== undefined;
    this.#alone = compilePolicies([candidate], world);
    const worstOf = (hidden: Hidden): Evaluator | undefined => {
      const [widest] = atWorst([candidate], hidden) ?? [];
      return widest && compilePolicies(withCandidate(inForce, widest), world);
    };
    const [groups, ports] = [worstOf('groups'), worstOf('ports')];
    this.#worst = { ...(groups && { groups }), ...(ports && { ports }) };
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
    if (this.#isForNodes(flow, direction)) return this.#doubt('node', direction, id, seen.example);
    const [before, after] = [this.#before.decide(flow, direction), this.#after.decide(flow, direction)];
    if (!before || !after || !this.#selects(direction === 'ingress' ? flow.destination : flow.source)) return;
    const [was, is] = [before.decision, after.decision];
    // A connection that is denied as such has no requests to speak of.
    if (seen.unit === 'request' && (was.l4 === 'denied' || is.l4 === 'denied')) return;
    // A retransmission is the same connection; a verdict and a drop of it are the same event.
    if (!this.#seen.add(id)) return;
    if (seen.decided !== undefined && (seen.decided === 'allowed') !== was.allowed) {
      this.#otherwise = { count: this.#otherwise.count + 1, example: this.#otherwise.example ?? seen.example };
    }
    const doubt = this.#doubtOf(flow, direction, before, after);
    if (doubt !== undefined) this.#doubt(doubt, direction, `${id} decided`, seen.example);
    else if (was.allowed && !is.allowed) this.#drops.add(seen, () => this.#why(flow, direction));
    else if (!was.allowed && is.allowed) this.#allows.add(seen, () => this.#why(flow, direction));
    else if (is.allowed) this.#counts.stillAllowed += 1;
    else this.#counts.stillDenied += 1;
  }

  #doubtOf(flow: PolicyFlow, direction: Direction, before: Said, after: Said): UnknownReason | undefined {
    const [was, is] = [before.decision.allowed, after.decision.allowed];
    // A condition of a policy that is in force before and after changes nothing.
    if (after.doubt !== undefined && (this.#isConditional || before.doubt === undefined)) return after.doubt;
    if (was !== is) return (is ? this.#before : this.#after).denialDoubt(flow, direction);
    return was ? this.#mayBeDenied(flow, direction) : undefined;
  }

  /** What a node receives or sends, under a candidate for nodes. */
  #isForNodes(flow: PolicyFlow, direction: Direction): boolean {
    const { labels } = direction === 'ingress' ? flow.destination : flow.source;
    return labels.includes('reserved:host') && this.#candidate.rules.some(({ subject }) => subject.node);
  }

  /** Allowed, as far as the documents tell; a deny rule of the candidate may match it all the same. */
  #mayBeDenied(flow: PolicyFlow, direction: Direction): UnknownReason | undefined {
    const denies = (worst: Evaluator | undefined): boolean => worst?.decide(flow)[direction]?.allowed === false;
    if (denies(this.#worst.groups)) return 'selector';
    return flow.destination.namedPorts === undefined && denies(this.#worst.ports) ? 'namedPort' : undefined;
  }

  #why(flow: PolicyFlow, direction: Direction): string {
    const asked = this.#after.asSeen(flow);
    const words = this.#after.evaluator.explain(asked)[direction]?.words ?? '';
    const isPermitted = (other: PolicyFlow): boolean => this.#after.evaluator.decide(other)[direction]?.allowed === true;
    return `${words}${queryWords(asked, isPermitted)}`;
  }

  /** Whose labels these are is asked once. */
  #selects(peer: PolicyFlow['source']): boolean {
    const key = peer.labels.join();
    const known = this.#selected.get(key);
    if (known !== undefined) return known;
    const world = { labels: ['reserved:world'] };
    const to = { source: world, destination: peer, protocol: 'TCP', destinationPort: 1 } as const;
    const from = { source: peer, destination: world, protocol: 'TCP', destinationPort: 1 } as const;
    const isSelected = [this.#alone.decide(to).ingress, this.#alone.decide(from).egress].some((one) => one?.selected === true);
    if (this.#selected.size >= MOST_PEERS) this.#selected.clear();
    this.#selected.set(key, isSelected);
    return isSelected;
  }

  #doubt(reason: UnknownReason, direction: Direction | undefined, id: string, example: FlowExample): void {
    if (!this.#seen.add(`${reason} ${id}`)) return;
    const key = `${reason} ${direction}`;
    const known = this.#unknown.get(key);
    this.#unknown.set(key, known ? { ...known, count: known.count + 1 } : { reason, direction, count: 1, example });
  }
}
