import { NO_COUNTS, sumOf } from '../src/domain/judge/verdict.ts';
import type { SeriesPoint } from '../src/domain/lifecycle/contract.ts';

/** More than a chart can show. It goes into the input of an activity, so it must stay small however long an operation lasts. */
export const MOST_POINTS = 360;

/** All points in the order of time; where there are too many, neighbours of one stage become one, twice as wide each time. */
export function joinSeries(before: readonly SeriesPoint[], added: readonly SeriesPoint[]): readonly SeriesPoint[] {
  let points: readonly SeriesPoint[] = [...before, ...added].toSorted((a, b) => a.at - b.at);
  const first = 2 * Math.max(1, ...points.map(({ ms }) => ms));
  for (let width = first; points.length > MOST_POINTS && width < WIDEST_MS; width *= 2) points = widened(points, width);
  return points.slice(-MOST_POINTS);
}

const WIDEST_MS = 365 * 24 * 3_600_000;

function widened(points: readonly SeriesPoint[], width: number): readonly SeriesPoint[] {
  const wide = new Map<string, SeriesPoint>();
  for (const point of points) {
    const at = Math.floor(point.at / width) * width;
    const key = `${at}/${point.stage}`;
    wide.set(key, { ...point, at, ms: width, ...sumOf(wide.get(key) ?? NO_COUNTS, point) });
  }
  return [...wide.values()];
}
