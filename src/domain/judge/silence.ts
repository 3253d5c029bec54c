import { BLIND_AFTER_MS } from './sight.ts';

/** So many requests must have been due in the silence: with as many due, none at all comes about once in a thousand times (Poisson). */
const DUE = Math.log(1_000);
/** Traffic that comes in bursts has been silent before: only a silence of more than so many times the longest one is news. */
const TIMES_LONGEST = 3;
/** Requests from which a rate can be told. */
const ENOUGH = 10;

export interface SilenceSnapshot {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly longest: number;
}

/** Whether the canary is still heard: what was seen of it long ago says nothing of how it is now. */
export class Silence {
  #first: number;
  #last: number;
  #count: number;
  #longest: number;

  constructor(from?: SilenceSnapshot) {
    this.#first = from?.first ?? 0;
    this.#last = from?.last ?? 0;
    this.#count = from?.count ?? 0;
    this.#longest = from?.longest ?? 0;
  }

  /** A request of the canary. Events may come a little out of order. */
  heard(at: number): void {
    if (this.#count === 0) this.#first = at;
    else if (at - this.#last > this.#longest) this.#longest = at - this.#last;
    this.#count += 1;
    if (at > this.#last) this.#last = at;
  }

  /** How long nothing has been heard at `now` (ms) and how many requests were due in that time; undefined when that is nothing unusual. */
  at(now: number): { readonly ms: number; readonly due: number } | undefined {
    const ms = now - this.#last;
    if (this.#count < ENOUGH || ms <= BLIND_AFTER_MS || ms <= TIMES_LONGEST * this.#longest) return undefined;
    const due = (ms * (this.#count - 1)) / Math.max(1, this.#last - this.#first);
    return due > DUE ? { ms, due } : undefined;
  }

  snapshot(): SilenceSnapshot {
    return { first: this.#first, last: this.#last, count: this.#count, longest: this.#longest };
  }
}
