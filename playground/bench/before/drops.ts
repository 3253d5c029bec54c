import type { DropEvidence } from '../../../src/domain/judge/evidence.ts';
import { RateEvidence, type RateSnapshot, rateBound } from './rate.ts';
import { RelativeEvidence, type RelativeSnapshot } from './relative.ts';
import type { BeforeSettings } from './settings.ts';
import { Starved, type StarvedSnapshot } from './starved.ts';

/** Drops of one peer, port and reason within one such slot are one group, however many packets and pods they are (ms). */
const SLOT_MS = 10_000;
/** Groups told apart within a slot; what comes beyond is not counted, since it is harm many times over already. */
const GROUPS = 1_024;
/** Groups per ms that are never held against a change: one in five minutes. Below it the earlier time says nothing. */
const RATE_FLOOR = 1 / 300_000;

export interface DropsSnapshot {
  readonly slot: number;
  readonly groups: readonly string[];
  readonly harmAt: number;
  readonly words: string;
  readonly counted: { readonly canary: number; readonly stable: number };
  readonly relative?: RelativeSnapshot;
  readonly rate?: RateSnapshot;
  readonly starved?: StarvedSnapshot;
}

/**
 * Drops as harm. Evidence tells a drop once in 10 s per source, destination, port and reason. Here what a peer, port and reason do to
 * both sides in these 10 s is one group, for the side it met first: were each pod's own group counted, a side of many pods with little
 * traffic would have more of them than its share of requests, healthy or not.
 *
 * With a control a group is a failure among the labelled events of its block, the requests of both sides being the others; and a canary
 * that is silent after a drop is starved (starved.ts). Each has half of this judge's alpha. Without a control the groups' rate is held
 * against an upper confidence bound of the earlier rate; the bound spends half of it.
 */
export class Drops {
  /** What the evidence must reach, as odds. */
  readonly threshold: number;
  readonly #relative: RelativeEvidence | undefined;
  readonly #starved: Starved | undefined;
  readonly #rate: RateEvidence | undefined;
  readonly #groups: Set<string>;
  readonly #counted: { canary: number; stable: number };
  #slot: number;
  #harmAt: number;
  #words: string;

  constructor(settings: BeforeSettings, alpha: number, control: boolean, from?: DropsSnapshot) {
    const { startedAt, durationMs, exposure, drops } = settings;
    const { groups = 0, ms = 0 } = drops?.before ?? {};
    const share = exposure ?? 0.5;
    if (control) {
      this.#relative = new RelativeEvidence({ startedAt, durationMs, share }, from?.relative);
      this.#starved = new Starved(share, from?.starved);
    } else {
      const rate = Math.max(RATE_FLOOR, rateBound(groups, ms, alpha / 2));
      // An earlier time that nobody watched bounds nothing.
      if (Number.isFinite(rate)) this.#rate = new RateEvidence({ rate, startedAt, durationMs }, from?.rate);
    }
    this.threshold = 2 / alpha;
    this.#groups = new Set(from?.groups);
    this.#counted = { ...(from?.counted ?? { canary: 0, stable: 0 }) };
    this.#slot = from?.slot ?? -1;
    this.#harmAt = from?.harmAt ?? -1;
    this.#words = from?.words ?? '';
  }

  /** A request that was counted: what a drop is measured against. */
  request(canary: boolean, at: number, clock: number): void {
    this.#relative?.add(canary, false, at, clock);
    this.#starved?.request(canary, clock);
  }

  /** Has the evidence come to what it must reach? */
  get reached(): boolean {
    return this.value() >= this.threshold;
  }

  /** Before each event; true when the evidence may have changed. */
  pass(at: number, clock: number): boolean {
    return this.#relative?.pass(at, clock) ?? false;
  }

  /** Something failed and nobody knows whose it was: only a silence of the canary after it says more. */
  trouble(words: string, clock: number): void {
    if (this.#words === '') this.#words = words;
    this.#starved?.after(clock);
  }

  /** True when the evidence may have changed. `clock` is the latest time heard before it. */
  drop({ side, source, destination, port, reason, peer, at }: DropEvidence, clock: number): boolean {
    const slot = Math.floor(Math.max(at, clock) / SLOT_MS);
    if (slot !== this.#slot) {
      this.#slot = slot;
      this.#groups.clear();
    }
    if (side === 'canary') {
      this.#starved?.after(Math.max(at, clock));
      this.#words = `${source} to ${destination}${port === 0 ? '' : ` port ${port}`} (${reason})`;
    }
    const key = `${peer ?? ''} ${port} ${reason}`;
    if (this.#groups.has(key) || this.#groups.size >= GROUPS) return false;
    this.#groups.add(key);
    this.#counted[side] += 1;
    if (side === 'canary' && this.#harmAt === -1) this.#harmAt = at;
    this.#relative?.add(side === 'canary', true, at, clock);
    if (this.#relative || side !== 'canary') return false;
    this.#rate?.add(Math.max(at, clock));
    return true;
  }

  value(): number {
    return Math.max(this.#relative?.value() ?? this.#rate?.value() ?? 1, this.#starved?.value() ?? 0);
  }

  get #isStarved(): boolean {
    return (this.#starved?.value() ?? 0) >= this.threshold;
  }

  firstHarmAt(): number | undefined {
    if (this.#starved && this.#isStarved) return this.#starved.firstHarmAt();
    const found = this.#relative?.firstHarmAt() ?? this.#rate?.firstHarmAt();
    return found ?? (this.#harmAt === -1 ? undefined : this.#harmAt);
  }

  /** What was dropped, for people: how often on each side, and the last of the canary's. */
  words(): string {
    const { canary, stable } = this.#counted;
    if (this.#starved && this.#isStarved) return `Nothing reaches the canary any more: ${this.#words}; ${this.#starved.words()}`;
    const than = this.#relative ? `, and ${stable} elsewhere` : '';
    return `Dropped around the canary ${canary} times (each cause once in 10 s)${than}; last ${this.#words}`;
  }

  snapshot(): DropsSnapshot {
    return {
      slot: this.#slot,
      groups: [...this.#groups],
      harmAt: this.#harmAt,
      words: this.#words,
      counted: { ...this.#counted },
      ...(this.#relative && { relative: this.#relative.snapshot() }),
      ...(this.#rate && { rate: this.#rate.snapshot() }),
      ...(this.#starved && { starved: this.#starved.snapshot() }),
    };
  }
}
