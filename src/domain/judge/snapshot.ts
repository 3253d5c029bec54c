import * as z from 'zod';
import { GapSnapshot } from './sight.ts';
import type { Harmful, Verdict } from './verdict.ts';

/** A verdict that stands: what came after it does not change it. */
export type Settled = Harmful | Extract<Verdict, { kind: 'drift' }>;

/** As it was parsed, for reading only. */
type Fixed<T> = T extends Settled ? T : T extends object ? { readonly [K in keyof T]: Fixed<T[K]> } : T;

const number = z.number();
const Numbers = z.array(number);
const Side = z.object({ requests: number, failures: number, synthetic: number.exactOptional() });
const Counts = z.object({ canary: Side, stable: Side });
const Runs = z.object({ runs: Numbers, since: Numbers });
const Marks = z.object({ now: Numbers, scale: Numbers, marks: z.array(Numbers) });
const Left = z.tuple([number, number, number]);
const Pool = z.tuple([number, number]);
const Comparison = z.object({
  sums: Numbers,
  lent: Numbers,
  toLend: Pool,
  left: Left,
  pool: Pool,
  released: number,
  runs: Runs,
});
const Share = z.object({ bet: number, left: number, released: number, asked: number, before: Pool, silent: Pool });
const Excused = z.object({ sums: Numbers, left: Left, pool: Pool, released: number });

/** The evidence of an operation (total.ts): numbers only, since doubles survive JSON exactly. About 1 kB. */
const Total = z.object({
  weights: z.object({ objective: number, relative: number, silence: number, excused: number }),
  planned: z.object({ watches: number, ms: number }),
  objective: z.object({ marks: Marks, left: Left, pool: Pool, released: number, runs: Runs }),
  comparison: Comparison,
  share: Share,
  excused: Excused.exactOptional(),
  began: z.array(Pool),
});
export type TotalSnapshot = Fixed<z.infer<typeof Total>>;

const Block = z.object({
  from: number,
  to: number,
  events: number,
  canary: number,
  failures: number,
  canaryFailures: number,
  answered: number,
  reached: number,
  harmAt: number,
  objective: number,
  hidden: z.boolean(),
});

/** What one watch hands to the next. `lost`: what it heard is not known, so all that it may have changed is thrown away. */
export const Carried = z.object({
  version: z.literal(2),
  total: Total.exactOptional(),
  /** Requests and failures of the watches before, for people. */
  counts: Counts.exactOptional(),
  lost: z.boolean().exactOptional(),
});
export type Carried = Fixed<z.infer<typeof Carried>>;

/** What a judge leaves for the next attempt of the same watch. */
export const Snapshot = z.object({
  version: z.literal(2),
  total: Total,
  blocks: z.object({
    pending: z.array(Block),
    settledTo: number,
    rate: number,
    share: number,
    grid: Numbers.exactOptional(),
    oldest: number.nullable().exactOptional(),
  }),
  gaps: z.record(z.string(), GapSnapshot),
  clock: number,
  traffic: number,
  canary: Side,
  stable: Side,
  earlier: Counts.exactOptional(),
  settled: z.custom<Settled>((value) => typeof value === 'object' && value !== null && 'kind' in value).nullable(),
  silence: z.object({ first: number, last: number, count: number, longest: number }),
  kinds: z.record(z.string(), number),
  drops: z.array(z.tuple([z.string(), number, number])),
  others: Numbers,
  retries: z.record(z.string(), number),
});
export type Snapshot = Fixed<z.infer<typeof Snapshot>>;
