import { alphaFor } from '../src/domain/judge/alpha.ts';

export interface Share {
  /** Bound on calling a healthy change harmful that this watch may spend. */
  readonly alpha: number;
  /** The watch has judged nothing, so nothing was spent: the next one may take it. */
  giveBack(): void;
}

/** Guards are many and mostly see nothing new: so much of an operation's alpha is theirs, the rest is for the watches of its stages. */
const GUARDS = 0.1;

/**
 * An operation's alpha, shared out. The watches of its stages are one test that goes on from each to the next, so each may use all of their part;
 * guards overlap with them and stand alone. By the union bound the operation as a whole keeps it.
 */
export class Shares {
  readonly watches = new Whole(1 - GUARDS);
  readonly guards = new Numbers(GUARDS);

  /** How many watches there have been. */
  get taken(): number {
    return this.watches.taken + this.guards.taken;
  }
}

class Whole {
  taken = 0;
  readonly #part: number;

  constructor(part: number) {
    this.#part = part;
  }

  take(alpha: number): Share {
    this.taken += 1;
    return { alpha: alpha * this.#part, giveBack: () => undefined };
  }
}

class Numbers {
  taken = 0;
  readonly #part: number;
  readonly #used = new Set<number>();

  constructor(part: number) {
    this.#part = part;
  }

  take(alpha: number): Share {
    let number = 1;
    while (this.#used.has(number)) number += 1;
    this.#used.add(number);
    this.taken += 1;
    return { alpha: alphaFor(alpha * this.#part, number), giveBack: () => void this.#used.delete(number) };
  }
}
