import * as z from 'zod';
import type { Harmful, Verdict } from '../verdict.ts';
import { alternatives } from './eprocess.ts';
import type { JudgeSettings } from './judge.ts';
import type { Panel } from './panel.ts';
import { ODDS } from './relative.ts';
import { GapSnapshot } from './sight.ts';

/** A verdict that stands: what came after it does not change it. */
export type Settled = Harmful | Extract<Verdict, { kind: 'drift' }>;

const Numbers = z.array(z.number());
const Side = z.object({ requests: z.number(), failures: z.number(), synthetic: z.number().exactOptional() });
const Relative = z.object({ sums: Numbers, remaining: z.number(), released: z.number(), runs: Numbers, since: Numbers, block: Numbers });

/** What a judge leaves for the next attempt. The later members are optional: a snapshot of an earlier build is still gone on from. */
export const Snapshot = z.object({
  version: z.literal(1),
  evidence: z.object({
    sums: Numbers,
    remaining: z.number(),
    runs: Numbers,
    since: Numbers,
    failures: z.tuple([z.number(), z.number()]).exactOptional(),
  }),
  gaps: z.record(z.string(), GapSnapshot),
  clock: z.number(),
  released: z.number(),
  canary: Side,
  stable: Side,
  settled: z.custom<Settled>((value) => typeof value === 'object' && value !== null && 'kind' in value).nullable(),
  relative: Relative.exactOptional(),
  drops: z
    .object({
      slot: z.number(),
      groups: z.array(z.string()),
      harmAt: z.number(),
      words: z.string(),
      counted: z.object({ canary: z.number(), stable: z.number() }),
      relative: Relative.exactOptional(),
      starved: z
        .object({
          canary: z.number(),
          requests: z.number(),
          droppedAt: z.number(),
          bets: z.number(),
          saved: z.number(),
          stake: z.number(),
          q: z.number(),
          since: z.number(),
        })
        .exactOptional(),
      rate: z.object({ sums: Numbers, remaining: z.number(), clock: z.number(), since: z.number() }).exactOptional(),
    })
    .exactOptional(),
  silence: z.object({ first: z.number(), last: z.number(), count: z.number(), longest: z.number() }).exactOptional(),
  kinds: z.record(z.string(), z.number()).exactOptional(),
  retries: z.record(z.string(), z.number()).exactOptional(),
});
export type Snapshot = z.infer<typeof Snapshot>;

/** Was the snapshot left by a judge of the same objective and the same alternatives? */
export function fits({ evidence, relative }: Snapshot, settings: JudgeSettings, { objective }: Panel): boolean {
  return (
    evidence.sums.length === alternatives(objective ?? settings.objective).length &&
    (relative === undefined || relative.sums.length === ODDS.length)
  );
}
