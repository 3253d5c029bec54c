// Rate limits as token buckets: a steady rate and how many calls may come at once.
import type { Limits, Tier } from './limits.ts';
import { SlackRefusal } from './refusal.ts';

interface Bucket {
  left: number;
  at: number;
}

/** Buckets beyond this many are forgotten, oldest first. */
const keptBuckets = 5_000;

export class Rate {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts one call of a method. Throws `ratelimited` with whole seconds to wait. */
  call(method: string, tier: Tier): void {
    if (tier === 'none') return;
    const perMinute = this.#limits.perMinute[tier];
    this.#take(method, perMinute / 60, perMinute);
  }

  /** Counts one new message in a channel: about one per second, with short bursts. */
  post(channel: string): void {
    this.#take(`post:${channel}`, this.#limits.postPerSecond, this.#limits.postBurst);
  }

  #take(key: string, perSecond: number, burst: number): void {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { left: burst, at: now };
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    const oldest = this.#buckets.size > keptBuckets ? this.#buckets.keys().next().value : undefined;
    if (oldest !== undefined) this.#buckets.delete(oldest);
    if (bucket.left < 1) {
      throw new SlackRefusal('ratelimited', { retryAfter: Math.max(1, Math.ceil((1 - bucket.left) / perSecond)) });
    }
    bucket.left -= 1;
  }
}
