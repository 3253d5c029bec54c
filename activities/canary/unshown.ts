import type { Side } from './sides.ts';

/** Requests that Envoy answered with 5xx for a Service and that no flow attributes to a pod of it. */
export interface Unshown {
  /** Envoy's 5xx of one side have grown by `by`; `shown` and `told`: what flows and other counters have said of that side until now. */
  grown(side: Side, by: number): void;
  /** How many more have been missing in flows for long enough to be certain. Each is told once. */
  take(side: Side, now: number, shown: number, told: number): number;
}

/** Flows that are later than two seconds are a gap of their own; what they have not shown by then they do not show (ms). */
export const CERTAIN_AFTER_MS = 3_000;

export function createUnshown(now: () => number): Unshown {
  const grown: { readonly at: number; readonly side: Side; readonly by: number }[] = [];
  const certain: Record<Side, number> = { canary: 0, stable: 0 };
  const taken: Record<Side, number> = { canary: 0, stable: 0 };
  return {
    grown: (side, by) => void grown.push({ at: now(), side, by }),
    take(side, at, shown, told) {
      for (let oldest = grown[0]; oldest && oldest.at <= at - CERTAIN_AFTER_MS; oldest = grown[0]) {
        certain[oldest.side] += oldest.by;
        grown.shift();
      }
      const missing = Math.max(0, certain[side] - shown - told - taken[side]);
      taken[side] += missing;
      return missing;
    },
  };
}
