/** How much each person, or each method of Slack, may take: a bucket per key that fills at a steady rate. */
export interface Buckets {
  /** Takes one; false when less than one and `keep` would be left. */
  take(key: string, keep?: number): boolean;
}

/** Keys beyond this many are forgotten, the one that was used longest ago first. */
const MOST_KEYS = 5_000;

/** Full at first, with as many as one minute brings. `now` in epoch ms. */
export function createBuckets(perMinute: () => number, now: () => number): Buckets {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  return {
    take: (key, keep = 0) => {
      const most = perMinute();
      const at = now();
      const known = buckets.get(key) ?? { left: most, at };
      const left = Math.min(most, known.left + (Math.max(0, at - known.at) / 60_000) * most);
      const taken = left >= 1 + keep;
      buckets.delete(key);
      buckets.set(key, { left: taken ? left - 1 : left, at });
      const oldest = buckets.size > MOST_KEYS ? buckets.keys().next().value : undefined;
      if (oldest !== undefined) buckets.delete(oldest);
      return taken;
    },
  };
}
