import { CHANGED, REST, type Side, sumOf } from '../../src/domain/judge/verdict.ts';
import type { SeriesPoint } from '../../src/domain/lifecycle/contract.ts';

/** More points than a chart can show are never kept. */
export const MOST_POINTS = 120;
const FIRST_WIDTH_MS = 1_000;

/** Requests in buckets of time; buckets are merged in pairs when there are too many. */
export class Series {
  readonly #stage: number;
  readonly #percent: number | undefined;
  readonly #from: number;
  #width: number;
  #points: Map<number, SeriesPoint>;

  /** `percent`: see `SeriesPoint`. `from`: what was before is no point of this chart (epoch ms): the ring tells of it as well. */
  constructor(stage: number, percent: number | undefined, resumed: readonly SeriesPoint[] = [], from = 0) {
    this.#from = from;
    this.#stage = stage;
    this.#percent = percent;
    this.#width = resumed[0]?.ms ?? FIRST_WIDTH_MS;
    this.#points = new Map(resumed.map((point) => [point.at, point]));
  }

  add(at: number, { side, failed }: { readonly side: Side; readonly failed: boolean }): void {
    if (at < this.#from) return;
    const start = Math.floor(at / this.#width) * this.#width;
    const point = this.#points.get(start) ?? this.#empty(start);
    const { requests, failures } = point[side];
    this.#points.set(start, { ...point, [side]: { requests: requests + 1, failures: failures + (failed ? 1 : 0) } });
    while (this.#points.size > MOST_POINTS) this.#widen();
  }

  /** In the order of time. */
  get points(): readonly SeriesPoint[] {
    return [...this.#points.values()].toSorted((a, b) => a.at - b.at);
  }

  #empty(at: number): SeriesPoint {
    const none = { requests: 0, failures: 0 };
    const percent = this.#percent;
    return { at, ms: this.#width, stage: this.#stage, ...(percent !== undefined && { percent }), [CHANGED]: none, [REST]: none };
  }

  #widen(): void {
    const narrow = this.points;
    this.#width *= 2;
    this.#points = new Map();
    for (const point of narrow) {
      const start = Math.floor(point.at / this.#width) * this.#width;
      const sum = this.#points.get(start) ?? this.#empty(start);
      this.#points.set(start, { ...sum, ...sumOf(sum, point) });
    }
  }
}
