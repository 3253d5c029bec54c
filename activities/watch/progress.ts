import * as z from 'zod';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Harmful } from '../../src/domain/judge/verdict.ts';
import type { SeriesPoint } from '../../src/domain/lifecycle/contract.ts';

/** What one attempt of a watch leaves in its heartbeats for the next. */
export interface Progress {
  readonly startedAt: number;
  /** Event time of the last request in `judge`: evidence goes on after it. */
  readonly since: number;
  /** Until when its streams were listened to (epoch ms); absent: no longer than `since` is known. */
  readonly watchedTo?: number;
  readonly judge: JsonObject;
  readonly series: readonly SeriesPoint[];
  /** Something was heard that a judge can weigh. */
  readonly judged?: boolean;
  /** The sources were open: what they still held from before has been heard. Absent: an attempt of an earlier build, whose were. */
  readonly opened?: boolean;
  /** Reached: whoever comes next fires the fuse again, which does nothing where it has been done. */
  readonly harmful?: Harmful;
}

const Shape = z.object({
  startedAt: z.number(),
  since: z.number(),
  watchedTo: z.number().exactOptional(),
  judge: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
  series: z.array(z.custom<SeriesPoint>((value) => typeof value === 'object' && value !== null)),
  judged: z.boolean().exactOptional(),
  opened: z.boolean().exactOptional(),
  harmful: z.custom<Harmful>((value) => typeof value === 'object' && value !== null && 'kind' in value).optional(),
});

/** Undefined when there is none, or one of another build that we cannot read: then the watch begins anew. */
export function parseProgress(details: unknown): Progress | undefined {
  const parsed = Shape.safeParse(details);
  if (!parsed.success) return undefined;
  const { harmful, opened, ...rest } = parsed.data;
  return { ...rest, ...(opened !== undefined && { opened }), ...(harmful && { harmful }) };
}
