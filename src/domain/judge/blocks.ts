/**
 * Requests of the split in blocks of the time at which they began: windows whose length is decided before they begin, so that neither labels
 * nor outcomes nor answer times have a say in who is in which.
 *
 * A block is settled when its time is over by SETTLE_MS and none of its requests is open, at the latest some time after the limit for
 * answers. A request whose block is settled already is left out.
 */
export interface Block {
  readonly from: number;
  readonly to: number;
  /** Requests, those of the canary, failures, those of the canary: only of pods that are warm. */
  events: number;
  canary: number;
  failures: number;
  canaryFailures: number;
  /** Requests, and those of the canary, of all pods. */
  answered: number;
  reached: number;
  /** First failure of the canary in it; -1 = none. */
  harmAt: number;
  /** What the objective's evidence was when the time of the block was over; -1 = not yet. */
  objective: number;
  /** Some node was out of sight in it. */
  hidden: boolean;
}

export interface BlocksSnapshot {
  readonly pending: readonly Block[];
  readonly settledTo: number;
  /** Requests per ms, and the canary's share in the last block; 0 and the asked share before. */
  readonly rate: number;
  readonly share: number;
  /** Absent: nobody says what is open. */
  readonly oldest?: number;
}

/** Requests of the rarer side that a block is meant to hold. */
const MEANT_EACH = 6;
const LARGEST = 600;
const SMALLEST = 8;
const SHORTEST_MS = 40;
const LONGEST_MS = 1_000;
/** Before a rate is known (ms). */
const FIRST_MS = 400;
/** Records of nodes come in the order of time within this (ms). */
const SETTLE_MS = 50;
/** What is open so long after the limit is told as a failure elsewhere, or was lost (ms). */
const LOST_MS = 2_500;
const MOST = 128;

export class Blocks {
  readonly #lateMs: number;
  readonly #asked: number;
  #pending: Block[];
  #settledTo: number;
  #rate: number;
  #share: number;
  /** When the oldest request began that is open; NaN: nobody says. */
  #oldest: number;
  #due = Number.POSITIVE_INFINITY;

  /** `share` of the canary as asked, 0..1. `lateMs`: answers come at most so late; 0: in the order of their requests. */
  constructor({ startedAt, share, lateMs }: { startedAt: number; share: number; lateMs: number }, from?: BlocksSnapshot) {
    this.#lateMs = lateMs;
    this.#asked = share;
    this.#pending = (from?.pending ?? []).map((block) => ({ ...block }));
    this.#settledTo = from?.settledTo ?? startedAt;
    this.#rate = from?.rate ?? 0;
    this.#share = from?.share ?? share;
    this.#oldest = from?.oldest ?? Number.NaN;
    this.#look();
  }

  /** The oldest request that is open began at `start` (ms of event time). */
  open(start: number): void {
    this.#oldest = start;
  }

  /** Takes a request that began at `start`; the block it belongs to, or undefined: it comes too late. */
  at(start: number, hidden: boolean): Block | undefined {
    const last = this.#pending[this.#pending.length - 1];
    if (last && start >= last.from && start < last.to) return last;
    if (start < this.#settledTo) return undefined;
    const index = this.#pending.findIndex(({ to }) => start < to);
    if (index === -1) return this.#begin(last?.to ?? this.#settledTo, Number.POSITIVE_INFINITY, start, hidden, this.#pending.length);
    const next = this.#pending[index] as Block;
    if (start >= next.from) return next;
    return this.#begin(this.#pending[index - 1]?.to ?? this.#settledTo, next.from, start, hidden, index);
  }

  /** A block on the grid that begins where the one before it ended. */
  #begin(after: number, before: number, start: number, hidden: boolean, index: number): Block {
    const length = this.#length();
    const from = after + Math.floor((start - after) / length) * length;
    const none = { events: 0, canary: 0, failures: 0, canaryFailures: 0, answered: 0, reached: 0, harmAt: -1, objective: -1 };
    const block: Block = { from, to: Math.min(before, from + length), ...none, hidden };
    this.#pending.splice(index, 0, block);
    this.#due = Math.min(this.#due, block.to);
    // Only while something hangs far longer than its limit: the oldest is not judged at all.
    if (this.#pending.length > MOST) this.#settledTo = this.#pending.shift()?.to ?? this.#settledTo;
    return block;
  }

  #length(): number {
    if (this.#rate === 0) return FIRST_MS;
    const share = (this.#asked + this.#share) / 2;
    const rarer = Math.max(1e-6, Math.min(share, 1 - share));
    const size = Math.max(SMALLEST, Math.min(LARGEST, Math.ceil(MEANT_EACH / rarer)));
    return Math.max(SHORTEST_MS, Math.min(LONGEST_MS, size / this.#rate));
  }

  /** Before this time nothing is due. */
  get due(): number {
    return this.#due;
  }

  /** Before each event: blocks whose time is over by `clock` note what the objective's evidence is then. */
  pass(clock: number, objective: () => number): void {
    for (const block of this.#pending) {
      if (block.to > clock) break;
      if (block.objective === -1) block.objective = objective();
    }
    this.#look();
  }

  #look(): void {
    const [first] = this.#pending;
    const next = this.#pending.find(({ objective }) => objective === -1)?.to ?? Number.POSITIVE_INFINITY;
    this.#due = first
      ? Math.min(next, first.to + (first.objective === -1 ? 0 : Math.min(this.#lateMs, SETTLE_MS)))
      : Number.POSITIVE_INFINITY;
  }

  /** The oldest block, if it is settled at `clock`. */
  settled(clock: number): Block | undefined {
    const [block] = this.#pending;
    if (!block || clock < block.to + this.#wait(block)) return undefined;
    this.#pending.shift();
    this.#look();
    this.#settledTo = block.to;
    const seen = block.answered / (block.to - block.from);
    this.#rate = this.#rate === 0 ? seen : (this.#rate + seen) / 2;
    if (block.answered > 0) this.#share = block.reached / block.answered;
    return block;
  }

  #wait({ to }: Block): number {
    if (this.#lateMs === 0) return 0;
    if (Number.isNaN(this.#oldest)) return this.#lateMs;
    return this.#oldest >= to ? SETTLE_MS : this.#lateMs + LOST_MS;
  }

  /** From now on records are missing: what is pending has not seen everything. */
  hide(): void {
    for (const block of this.#pending) block.hidden = true;
  }

  snapshot(): BlocksSnapshot {
    return {
      pending: this.#pending.map((block) => ({ ...block })),
      settledTo: this.#settledTo,
      rate: this.#rate,
      share: this.#share,
      ...(Number.isNaN(this.#oldest) ? {} : { oldest: this.#oldest }),
    };
  }
}
