import * as z from 'zod';
import { GapSnapshot } from '../../judge/sight.ts';
import type { Harmful, Verdict } from '../../judge/verdict.ts';
import { DIRECTIONS } from '../policy.ts';

/** A verdict that stands: what comes after it does not change it. */
export type Settled = Harmful | Extract<Verdict, { kind: 'drift' }>;

const Side = z.object({ requests: z.number(), failures: z.number() });
const Group = z.object({
  peer: z.object({ kind: z.enum(['cluster', 'world', 'unknown']), name: z.string() }),
  direction: z.enum(DIRECTIONS),
  protocol: z.string(),
  port: z.number().optional(),
  where: z.string().optional(),
  request: z.string().optional(),
});

const Expected = z.object({
  group: Group,
  newly: z.enum(['denied', 'enforced', 'proxied']),
  address: z.string(),
  count: z.number(),
  seen: z.boolean(),
});

/** What a judge of drops leaves in the heartbeats for the next attempt. */
export const DropsSnapshot = z.object({
  version: z.literal(1),
  gaps: z.record(z.string(), GapSnapshot),
  known: z.array(z.string()),
  doubts: z.object({
    since: z.number().nullable(),
    news: z.number().nullable().optional(),
    groups: z.array(
      z.object({
        group: Group,
        count: z.number(),
        example: z.string(),
        unexplained: z.boolean(),
        hidden: z.boolean().optional(),
        pods: z.array(z.string()).optional(),
      }),
    ),
    overflow: z.number(),
  }),
  ambient: z.array(z.string()).optional(),
  /** Nodes whose records of before the stage could not be read; null: they have not been told yet. */
  unread: z
    .array(z.object({ node: z.string(), reason: z.string() }))
    .nullable()
    .optional(),
  expected: z.object({ kinds: z.array(Expected), asked: z.object({ ingress: z.number(), egress: z.number() }) }).optional(),
  seen: z.object({ ingress: z.number(), egress: z.number() }),
  canary: Side,
  stable: Side,
  meant: z.number(),
  /** Of each accepted key. */
  meantBy: z.record(z.string(), z.number()).optional(),
  clock: z.number(),
  settled: z.custom<Settled>((value) => typeof value === 'object' && value !== null && 'kind' in value).nullable(),
});
export type DropsSnapshot = z.infer<typeof DropsSnapshot>;
