import type { Side } from './sides.ts';

/** Requests that Envoy answered with 5xx for a Service and that no flow attributes to a pod of it. */
interface Unshown {
  /** Envoy's 5xx of one side have grown: when each of these requests had begun at the latest (epoch ms), the oldest first. */
  grown(side: Side, starts: readonly number[]): void;
  /**
   * Of those that have been missing in flows for long enough to be certain, the starts of the ones that were not told yet; `shown` and `told`: what flows
   * and other counters have said of that side until now. Which ones flows have shown is not known: the youngest, so that no start is too late.
   */
  take(side: Side, now: number, shown: number, told: number): readonly number[];
}

/** Flows that are later than two seconds are a gap of their own; what they have not shown by then they do not show (ms). */
const CERTAIN_AFTER_MS = 3_000;

export function createUnshown(now: () => number): Unshown {
  const grown: { readonly at: number; readonly side: Side; readonly starts: readonly number[] }[] = [];
  const certain: Record<Side, number> = { canary: 0, stable: 0 };
  const taken: Record<Side, number> = { canary: 0, stable: 0 };
  return {
    grown: (side, starts) => void grown.push({ at: now(), side, starts }),
    take(side, at, shown, told) {
      const due = grown.filter((one) => one.side === side && one.at <= at - CERTAIN_AFTER_MS);
      for (const one of due) grown.splice(grown.indexOf(one), 1);
      const starts = due.flatMap((one) => one.starts);
      certain[side] += starts.length;
      const missing = Math.min(starts.length, Math.max(0, certain[side] - shown - told - taken[side]));
      taken[side] += missing;
      return starts.slice(0, missing);
    },
  };
}
