/**
 * A canary that packets no longer reach answers nothing at all, and Envoy takes seconds to give up each connection. Evidence against
 * "the canary still gets its share", beginning at a drop around it, or at a failure that nobody knows whose it was: as long as each request goes to it with probability of at least q,
 * whatever came before, the bet on "elsewhere" that pays 1 / (1 - q) on each request and loses all at the first one of the canary is a test
 * martingale (Wald 1945). A bet that is lost is followed by the next one while the drop is fresh, the n-th with weight 6 / (pi n)^2, whose
 * sum is 1, so nobody need know how many there will be.
 *
 * q is half of the smaller of the share that was asked for and the share that was seen: other routes may bring requests that are not split.
 * What breaks it: a canary whose share falls by more than half by itself, right after a drop around it.
 */

/** A drop is told once in ten seconds: for as long it may be the reason for a silence (ms). */
const FRESH_MS = 10_000;
/** Until more is seen, the share that was asked for counts like so many requests of the canary. */
const ASKED = 3;

export interface StarvedSnapshot {
  readonly canary: number;
  readonly requests: number;
  readonly droppedAt: number;
  readonly bets: number;
  readonly saved: number;
  readonly stake: number;
  readonly q: number;
  readonly since: number;
}

export class Starved {
  readonly #share: number;
  #canary: number;
  #requests: number;
  #droppedAt: number;
  #bets: number;
  /** Mass of the bets that were not made yet. */
  #saved: number;
  /** What the present bet is worth; 0 while there is none. */
  #stake: number;
  #q: number;
  /** Requests elsewhere since the present bet began. */
  #since: number;

  /** `share`: the canary's, as it was asked for, 0..1. */
  constructor(share: number, from?: StarvedSnapshot) {
    this.#share = share;
    this.#canary = from?.canary ?? 0;
    this.#requests = from?.requests ?? 0;
    this.#droppedAt = from?.droppedAt ?? -1;
    this.#bets = from?.bets ?? 0;
    this.#saved = from?.saved ?? 1;
    this.#stake = from?.stake ?? 0;
    this.#q = from?.q ?? 0;
    this.#since = from?.since ?? 0;
  }

  /** Packets around the canary were dropped, or something failed that may have been its. */
  after(clock: number): void {
    if (this.#stake === 0) this.#droppedAt = clock;
    this.#bet(clock);
  }

  request(canary: boolean, clock: number): void {
    this.#requests += 1;
    if (canary) {
      this.#canary += 1;
      this.#stake = 0;
      this.#bet(clock);
    } else if (this.#stake > 0) {
      this.#stake /= 1 - this.#q;
      this.#since += 1;
    }
  }

  #bet(clock: number): void {
    const isFresh = this.#droppedAt !== -1 && clock - this.#droppedAt <= FRESH_MS;
    if (!isFresh || this.#stake > 0) return;
    this.#bets += 1;
    this.#stake = 6 / (Math.PI * this.#bets) ** 2;
    this.#saved = Math.max(0, this.#saved - this.#stake);
    const seen = (this.#canary + ASKED) / (this.#requests + ASKED / this.#share);
    this.#q = Math.min(this.#share, seen) / 2;
    this.#since = 0;
  }

  /** The evidence as odds; 1 in the beginning. */
  value(): number {
    return this.#saved + this.#stake;
  }

  /** When the drop was that the present bet follows. */
  firstHarmAt(): number {
    return this.#droppedAt;
  }

  /** `none of 190 requests reached it since then, where about 19 were due` */
  words(): string {
    return `none of ${this.#since} requests has reached it since then, where about ${Math.round(this.#since * 2 * this.#q)} were due`;
  }

  snapshot(): StarvedSnapshot {
    return {
      canary: this.#canary,
      requests: this.#requests,
      droppedAt: this.#droppedAt,
      bets: this.#bets,
      saved: this.#saved,
      stake: this.#stake,
      q: this.#q,
      since: this.#since,
    };
  }
}
