import type { DropEvidence, RequestEvidence } from './evidence.ts';
import { Kinds } from './kinds.ts';
import { Others } from './others.ts';
import { Silence } from './silence.ts';
import type { Snapshot } from './snapshot.ts';
import { CHANGED, type Counts } from './verdict.ts';

interface Side {
  requests: number;
  failures: number;
  synthetic?: number;
}

/** What people are shown of a watch: counts, how requests failed, what the others do, and whether the canary is still heard. */
export class Tally {
  readonly #canary: Side;
  readonly #stable: Side;
  readonly #kinds: Kinds;
  readonly #others: Others;
  readonly #silence: Silence;

  constructor(from?: Snapshot) {
    this.#canary = { ...(from?.canary ?? { requests: 0, failures: 0 }) };
    this.#stable = { ...(from?.stable ?? { requests: 0, failures: 0 }) };
    this.#kinds = new Kinds(from?.kinds);
    this.#others = new Others(from?.others);
    this.#silence = new Silence(from?.silence);
  }

  get counts(): Counts {
    return { canary: { ...this.#canary }, stable: { ...this.#stable } };
  }

  /** Of the canary, without a copy. */
  get canary(): Readonly<Side> {
    return this.#canary;
  }

  request({ side, failed, failure = 'failed', synthetic, at }: RequestEvidence): void {
    this.#count(side, failed, synthetic === true, at);
    if (side !== 'canary') return;
    this.#silence.heard(at);
    if (failed) this.#kinds.add(failure);
  }

  /** A connection that no request can use: a failed request of which nothing is heard. */
  connection({ side, reason, at }: DropEvidence): void {
    this.#count(side, true, false, at);
    if (side === CHANGED) this.#kinds.add(`dropped (${reason})`);
  }

  #count(side: 'canary' | 'stable', failed: boolean, synthetic: boolean, at: number): void {
    const count = side === CHANGED ? this.#canary : this.#stable;
    count.requests += 1;
    if (failed) count.failures += 1;
    if (synthetic) count.synthetic = (count.synthetic ?? 0) + 1;
    if (side === 'stable') this.#others.add(failed, at);
  }

  othersSince(at: number): ReturnType<Others['since']> {
    return this.#others.since(at);
  }

  kindWords(): string {
    return this.#kinds.words();
  }

  silence(now: number): ReturnType<Silence['at']> {
    return this.#silence.at(now);
  }

  snapshot(): Pick<Snapshot, 'canary' | 'stable' | 'kinds' | 'others' | 'silence'> {
    return {
      canary: this.#canary,
      stable: this.#stable,
      kinds: this.#kinds.snapshot(),
      others: this.#others.snapshot(),
      silence: this.#silence.snapshot(),
    };
  }
}
