import type { Block } from './blocks.ts';
import { Powers } from './powers.ts';
import type { Planned } from './prior.ts';

/**
 * Evidence against "each answered request of the split is the canary's with probability of at least half of the share that was asked": a
 * canary that packets no longer reach answers nothing, and its failures are seen late or by nobody. It follows from a random split, when the
 * canary answers at least half of what it gets.
 *
 * In a block: ((1 - a)/(1 - q)) for each request elsewhere and a/q for each of the canary, q half of the share and a a 25th of that. Its
 * mass is released over the planned time, once the canary has been seen with its share in this watch: before, the weight may not be in
 * force at every gateway, and a canary that is silent from the first request on is a watch without traffic.
 * A block in which a node was out of sight is left out: records that are missing are no silence.
 */
const AT_LEAST = 1 / 2;
const TRIED = 0.02;
/** Requests of the canary that must have been seen. */
const SEEN = 3;

/** What a request elsewhere, and one of the canary, multiplies by. */
interface Factors {
  readonly elsewhere: Powers;
  readonly here: Powers;
}

interface ShareSnapshot {
  /** The bet, what is not yet bet, and the event time up to which it is released. */
  readonly bet: number;
  readonly left: number;
  readonly released: number;
  /** Share asked in this watch; requests and those of the canary before it was open (-1 = it is). */
  readonly asked: number;
  readonly before: readonly [number, number];
  /** Requests since the canary was last heard, and when that was. */
  readonly silent: readonly [number, number];
}

export class Share {
  readonly #planned: Planned;
  #bet: number;
  #left: number;
  #released: number;
  #asked: number;
  #before: number;
  #beforeCanary: number;
  #silent: number;
  #heardAt: number;
  #factors: Factors | undefined;

  constructor(planned: Planned, from?: ShareSnapshot) {
    this.#planned = planned;
    this.#bet = from?.bet ?? 0;
    this.#left = from?.left ?? 1;
    this.#released = from?.released ?? 0;
    this.#asked = from?.asked ?? 0;
    [this.#before, this.#beforeCanary] = from?.before ?? [0, 0];
    [this.#silent, this.#heardAt] = from?.silent ?? [0, -1];
    this.#factors = factorsFor(this.#asked);
  }

  /** A watch begins: an open bet is cashed, which is a stopping time. `asked` 0: no share is known, nothing is bet. */
  begin(at: number, asked: number): void {
    this.#left += this.#bet;
    this.#bet = 0;
    this.#released = at;
    this.#asked = asked;
    this.#factors = factorsFor(asked);
    this.#before = this.#beforeCanary = 0;
    this.#silent = 0;
    this.#heardAt = -1;
  }

  take({ from, to, answered, reached, hidden }: Block): void {
    if (!this.#factors || answered === 0) return;
    const wait = hidden || this.#before !== -1;
    if (this.#before !== -1) this.#look(answered, reached);
    if (wait) {
      this.#released = to;
      return;
    }
    const released = Math.max(0, Math.min(this.#left, (from - this.#released) / Math.max(1, this.#planned.ms)));
    this.#released = Math.max(this.#released, from);
    this.#left -= released;
    const { elsewhere, here } = this.#factors;
    const ratio = elsewhere.of(answered - reached) * here.of(reached);
    this.#bet = Math.min((this.#bet + released) * ratio, 1e200);
    this.#silent = reached > 0 ? 0 : this.#silent + answered;
    if (reached > 0) this.#heardAt = to;
  }

  #look(answered: number, reached: number): void {
    this.#before += answered;
    this.#beforeCanary += reached;
    if (this.#beforeCanary >= SEEN && this.#beforeCanary >= this.#asked * AT_LEAST * this.#before) this.#before = -1;
  }

  value(): number {
    return this.#bet + this.#left;
  }

  /** End of the last block in which the canary was heard; undefined before the first. */
  firstHarmAt(): number | undefined {
    return this.#heardAt === -1 ? undefined : this.#heardAt;
  }

  /** Requests of the split since then, and how many of them were due to the canary. */
  get silence(): { readonly requests: number; readonly due: number } {
    return { requests: this.#silent, due: Math.round(this.#silent * this.#asked) };
  }

  forget(): void {
    this.#bet = 0;
    this.#left = 0;
  }

  snapshot(): ShareSnapshot {
    const { silent, heard } = { silent: this.#silent, heard: this.#heardAt };
    return {
      bet: this.#bet,
      left: this.#left,
      released: this.#released,
      asked: this.#asked,
      before: [this.#before, this.#beforeCanary],
      silent: [silent, heard],
    };
  }
}

const FACTORS = new Map<number, Factors>();

/** One table for all judges of a share: people set a handful of them. */
function factorsFor(asked: number): Factors | undefined {
  if (asked === 0) return undefined;
  const known = FACTORS.get(asked);
  if (known) return known;
  const [least, tried] = [asked * AT_LEAST, asked * TRIED];
  const factors = { elsewhere: new Powers((1 - tried) / (1 - least)), here: new Powers(tried / least) };
  if (FACTORS.size >= 64) FACTORS.clear();
  FACTORS.set(asked, factors);
  return factors;
}
