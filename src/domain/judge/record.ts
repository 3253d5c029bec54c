import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import type { Evidence } from './evidence.ts';
import type { JudgeSettings } from './judge.ts';

/**
 * A recorded watch, as JSON lines: first `{"settings": {...}}`, then each event as it was given to the judge, in that order. Ticks belong
 * to it, since time decides too. `resumed` beside the settings: the snapshot that the judge went on from, where it did not begin anew.
 */
const at = z.number();
const side = z.enum(['canary', 'stable']);
const text = z.string();

const Settings: z.ZodType<JudgeSettings> = z.object({
  objective: z.number().gt(0).max(0.9),
  alpha: z.number().gt(0).lt(1),
  durationMs: z.number().min(0),
  planned: z.object({ watches: z.number().min(1), ms: z.number() }).exactOptional(),
  watch: z.union([z.number().min(1), z.literal('guard')]).exactOptional(),
  stage: z.number().exactOptional(),
  lateMs: z.number().min(0).exactOptional(),
  split: z.boolean().exactOptional(),
  known: z.boolean().exactOptional(),
  startedAt: z.number(),
  minRequests: z.number().min(0),
  canaryService: text,
  exposure: z.number().min(0).max(1).exactOptional(),
  slo: z.enum(['both', 'absolute', 'relative', 'excused']).exactOptional(),
  baseline: z.object({ requests: z.number(), failures: z.number() }).exactOptional(),
  budget: z.number().exactOptional(),
  promotion: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('counts') }),
      z.object({ kind: z.literal('confidence'), level: z.number().gt(0).lt(1) }),
    ])
    .exactOptional(),
});

const Event: z.ZodType<Evidence> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('request'),
    at,
    seenAt: at,
    side,
    failed: z.boolean(),
    failure: text.exactOptional(),
    latencyMs: z.number(),
    id: text,
    client: text.exactOptional(),
    path: text.exactOptional(),
    of: side.exactOptional(),
    synthetic: z.literal(true).exactOptional(),
    startedAt: at.exactOptional(),
    earlyMs: z.number().exactOptional(),
    asked: z.literal(true).exactOptional(),
    unsplit: z.literal(true).exactOptional(),
    cold: z.literal(true).exactOptional(),
    openMs: z.number().exactOptional(),
  }),
  z.object({ kind: z.literal('asked'), at, seenAt: at }),
  z.object({
    kind: z.literal('drop'),
    at,
    seenAt: at,
    side,
    source: text,
    destination: text,
    port: z.number(),
    reason: text,
    id: text,
    peer: text.exactOptional(),
    connection: z.literal(true).exactOptional(),
    startedAt: at.exactOptional(),
  }),
  z.object({ kind: z.literal('trouble'), at, seenAt: at, words: text }),
  z.object({ kind: z.literal('readiness'), at, service: text, ready: z.number() }),
  z.object({
    kind: z.literal('gap'),
    at,
    node: text,
    reason: text,
    lost: z.number().exactOptional(),
    patienceMs: z.number().exactOptional(),
  }),
  z.object({ kind: z.literal('sight'), at, node: text }),
  z.object({ kind: z.literal('drift'), at, object: text, field: text, manager: text, found: text }),
  z.object({ kind: z.literal('tick'), at }),
]);
/** Of the judge that heard it; a record without one is of the judge before 2. */
const JUDGE = 2;

const First = z.object({
  settings: Settings,
  judge: z.number().exactOptional(),
  resumed: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null).exactOptional(),
});

/** How a record begins. */
export interface Begin {
  readonly settings: JudgeSettings;
  readonly resumed?: JsonObject;
  /** Version of the judge that heard it; absent: the first. */
  readonly judge?: number;
}

/** Was it heard by another judge than today's? Then what it said, and when, may differ; a snapshot it began with cannot be used. */
export function isOfAnotherJudge({ judge }: Begin): boolean {
  return judge !== JUDGE;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly words: string };

/** First line of a record. */
export function writeBegin(settings: JudgeSettings, resumed?: JsonObject): string {
  return JSON.stringify({ settings, judge: JUDGE, resumed });
}

/** Any later line. */
export function writeEvent(event: Evidence): string {
  return JSON.stringify(event);
}

export function readBegin(line: string): Parsed<Begin> {
  return readAs<Begin>(First, line);
}

export function readEvent(line: string): Parsed<Evidence> {
  return readAs(Event, line);
}

function readAs<T>(schema: z.ZodType<T>, line: string): Parsed<T> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    return { ok: false, words: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const read = schema.safeParse(json);
  if (read.success) return { ok: true, value: read.data };
  return { ok: false, words: read.error.issues.map(({ path, message }) => `${path.join('.') || 'the line'}: ${message}`).join('; ') };
}
