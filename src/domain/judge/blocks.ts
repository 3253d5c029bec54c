/**
 * Requests of the split in blocks of the time at which they began: windows that are laid out before they begin, so that neither labels nor
 * outcomes nor answer times have a say in who is in which.
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

interface BlocksSnapshot {
  readonly pending: readonly Block[];
  readonly settledTo: number;
  /** Requests per ms, and the canary's share in the last block; 0 and the asked share before. */
  readonly rate: number;
  readonly share: number;
  /** Begin and length of windows, the newest last; absent: as long as before a rate is known. */
  readonly grid?: readonly number[];
  /** Null: nothing is open, which JSON has no number for; absent: nobody says what is. */
  readonly oldest?: number | null;
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
/** Blocks that wait: as many as there can be while the oldest of them does. */
const MOST = 128;
/** The windows' length is changed when it is so far off, and so many layouts are kept for requests that began under them. */
const OFF = 1.25;
const LAYOUTS = 8;

export class Blocks {
  readonly #lateMs: number;
  readonly #shortestMs: number;
  /** Layouts of windows: begin and length of each, one after the other. */
  #grid: readonly number[];
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
    this.#shortestMs = Math.max(SHORTEST_MS, (lateMs + LOST_MS) / (MOST - 2));
    this.#grid = from?.grid ?? [this.#settledTo, Math.max(FIRST_MS, this.#shortestMs)];
    this.#oldest = from?.oldest === null ? Number.POSITIVE_INFINITY : (from?.oldest ?? Number.NaN);
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
    let index = 0;
    while (index < this.#pending.length && start >= (this.#pending[index] as Block).to) index += 1;
    const next = this.#pending[index];
    if (next && start >= next.from) return next;
    const block = this.#window(start, hidden);
    if (next) this.#pending.splice(index, 0, block);
    else this.#pending.push(block);
    this.#due = Math.min(this.#due, block.to);
    return block;
  }

  /** The window in which a request began at `start`. */
  #window(start: number, hidden: boolean): Block {
    const grid = this.#grid;
    let at = grid.length - 2;
    while (at > 0 && start < (grid[at] as number)) at -= 2;
    const [begin, length] = [grid[at] as number, grid[at + 1] as number];
    const nth = Math.floor((start - begin) / length);
    const from = begin + nth * length;
    const to = Math.min(begin + (nth + 1) * length, at + 2 < grid.length ? (grid[at + 2] as number) : Number.POSITIVE_INFINITY);
    return { from, to, events: 0, canary: 0, failures: 0, canaryFailures: 0, answered: 0, reached: 0, harmAt: -1, objective: -1, hidden };
  }

  /** From the end of the window on that `clock` is in, windows are as long as the traffic asks by now. */
  #layOut(clock: number): void {
    while (this.#grid.length > 2 && (this.#grid[2] as number) <= this.#settledTo) this.#grid = this.#grid.slice(2);
    const grid = this.#grid;
    const [begin, before] = [grid[grid.length - 2] as number, grid[grid.length - 1] as number];
    const length = this.#length();
    const isNear = length < before * OFF && length * OFF > before;
    // The newest layout has not begun yet, or there are too many.
    if (isNear || clock < begin || grid.length >= 2 * LAYOUTS) return;
    this.#grid = [...grid, this.#window(clock, false).to, length];
  }

  #length(): number {
    const share = (this.#asked + this.#share) / 2;
    const rarer = Math.max(1e-6, Math.min(share, 1 - share));
    const size = Math.max(SMALLEST, Math.min(LARGEST, Math.ceil(MEANT_EACH / rarer)));
    return Math.max(this.#shortestMs, Math.min(LONGEST_MS, size / this.#rate));
  }

  /** Before this time nothing is due. */
  get due(): number {
    return this.#due;
  }

  /** Before each event: blocks whose time is over by `clock` note what the objective's evidence is then. */
  pass(clock: number, objective: number): void {
    for (let index = 0; index < this.#pending.length; index += 1) {
      const block = this.#pending[index] as Block;
      if (block.to > clock) break;
      if (block.objective === -1) block.objective = objective;
    }
    this.#look();
  }

  #look(): void {
    const first = this.#pending[0];
    this.#due = Number.POSITIVE_INFINITY;
    if (!first) return;
    let index = 0;
    while (index < this.#pending.length && (this.#pending[index] as Block).objective !== -1) index += 1;
    const next = this.#pending[index]?.to ?? Number.POSITIVE_INFINITY;
    this.#due = Math.min(next, first.to + (first.objective === -1 ? 0 : Math.min(this.#lateMs, SETTLE_MS)));
  }

  /** The oldest block, if it is settled at `clock`. */
  settled(clock: number): Block | undefined {
    const block = this.#pending[0];
    if (!block || clock < block.to + this.#wait(block.to)) return undefined;
    this.#pending.shift();
    this.#look();
    this.#settledTo = block.to;
    const seen = block.answered / (block.to - block.from);
    this.#rate = this.#rate === 0 ? seen : (this.#rate + seen) / 2;
    if (block.answered > 0) this.#share = block.reached / block.answered;
    this.#layOut(clock);
    return block;
  }

  /** Every request that began before `end` is answered, or late, at `clock`. */
  isSettled(end: number, clock: number): boolean {
    return clock >= end + this.#wait(end);
  }

  #wait(to: number): number {
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
      grid: [...this.#grid],
      ...(Number.isNaN(this.#oldest) ? {} : { oldest: Number.isFinite(this.#oldest) ? this.#oldest : null }),
    };
  }
}
