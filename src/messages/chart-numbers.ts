// The arithmetic behind the chart: rates, axes and gaps.
import { CHANGED, type Side } from '../domain/judge/verdict.ts';
import type { SeriesPoint } from '../domain/lifecycle/contract.ts';

/** Epoch ms and a value; null breaks the line. */
export type Point = [number, number | null];

/** End of the last bucket, epoch ms. */
export function endOf(series: readonly SeriesPoint[]): number | undefined {
  const last = series.at(-1);
  return last && last.at + last.ms;
}

/** No line across a time that nobody watched (a gate, another worker taking over). */
export function gapBefore(series: readonly SeriesPoint[], index: number): Point[] {
  const before = series[index - 1];
  const here = series[index];
  return before && here && here.at - (before.at + before.ms) > Math.max(before.ms, here.ms) * 2 ? [[before.at + before.ms, null]] : [];
}

/** What the watches brought, in the order of time. */
export function inOrder(series: readonly SeriesPoint[]): readonly SeriesPoint[] {
  return series.toSorted((a, b) => a.at - b.at);
}

/** The share holds until the next point: the line is drawn with steps. It ends where everything was put back. */
export function shareSteps(series: readonly SeriesPoint[]): Point[] {
  const last = series.at(-1);
  const steps = series.flatMap((one, index): Point[] => {
    const before = series[index - 1]?.percent;
    const end: Point[] = one.percent === undefined && before !== undefined ? [[one.at, before]] : [];
    return [...gapBefore(series, index), ...end, [one.at, one.percent ?? null]];
  });
  return [...steps, ...(last ? [[last.at + last.ms, last.percent ?? null] satisfies Point] : [])];
}

export function perSecond(point: SeriesPoint, side: Side): number {
  return point.ms > 0 ? point[side].requests / (point.ms / 1000) : 0;
}

export function failurePercent({ [CHANGED]: { requests, failures } }: SeriesPoint): number | null {
  return requests > 0 ? (failures / requests) * 100 : null;
}

/** The next of 1, 2, 5 × 10^n above the largest value, so that the axis has round labels. */
export function niceMax(values: readonly number[], least: number): number {
  const top = Math.max(least, ...values);
  const power = 10 ** Math.floor(Math.log10(top));
  const step = [1, 2, 5, 10].find((one) => one * power >= top) ?? 10;
  return step * power;
}

export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
