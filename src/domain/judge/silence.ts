import { BLIND_AFTER_MS } from './sight.ts';

/** So many requests must have been due in the silence: with as many due, none at all comes about once in a thousand times (Poisson). */
const DUE = Math.log(1_000);
/** Traffic that comes in bursts has been silent before: only a silence of more than so many times the longest one is news. */
const TIMES_LONGEST = 3;
/** Requests from which a rate can be told. */
const ENOUGH = 10;

interface SilenceSnapshot {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly longest: number;
}

const NOTHING: SilenceSnapshot = { first: 0, last: 0, count: 0, longest: 0 };

/** Whether the canary is still heard: what was seen of it long ago says nothing of how it is now. */
export class Silence {
  readonly #heard: { -readonly [K in keyof SilenceSnapshot]: number };

  constructor(from: SilenceSnapshot = NOTHING) {
    this.#heard = { ...from };
  }

  /** A request of the canary. Events may come a little out of order. */
  heard(at: number): void {
    const heard = this.#heard;
    if (heard.count === 0) heard.first = at;
    else if (at - heard.last > heard.longest) heard.longest = at - heard.last;
    heard.count += 1;
    if (at > heard.last) heard.last = at;
  }

  /** How long nothing has been heard at `now` (ms) and how many requests were due in that time; undefined when that is nothing unusual. */
  at(now: number): { readonly ms: number; readonly due: number } | undefined {
    const { first, last, count, longest } = this.#heard;
    const ms = now - last;
    if (count < ENOUGH || ms <= BLIND_AFTER_MS || ms <= TIMES_LONGEST * longest) return undefined;
    const due = (ms * (count - 1)) / Math.max(1, last - first);
    return due > DUE ? { ms, due } : undefined;
  }

  snapshot(): SilenceSnapshot {
    return { ...this.#heard };
  }
}
