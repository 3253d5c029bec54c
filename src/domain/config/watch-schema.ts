import * as z from 'zod';
import { MOST_PROBES } from '../commands/flags.ts';
import { Duration, FailureShare, Percent } from './values.ts';

/** How changes climb and what they are held to: for all clusters, or for one. */

const Ladder = z
  .array(Percent)
  .min(1, 'A ladder has at least one rung.')
  .refine((rungs) => rungs.every((rung, index) => rung > (rungs[index - 1] ?? 0)), 'Rungs rise, from above 0% to at most 100%.');

const Objective = z.strictObject({
  slo: FailureShare.optional(),
  latency: Duration.optional(),
  /** `both`: neither more failures than the objective nor more than the control; `absolute`, `relative`: only the one. */
  mode: z
    .enum(
      ['both', 'absolute', 'relative', 'excused'],
      'Write both, absolute (the objective only), relative (the control only) or excused (whichever of the two fails more).',
    )
    .optional(),
  /** Failures above objective x requests that end an operation. */
  budget: z.int().min(1).max(1_000_000).optional(),
  /** A stage passes only when its share is proved to lie within the objective with this confidence. */
  confidence: z
    .number('Expected a confidence between 0.5 and 0.999, such as 0.95.')
    .min(0.5, 'Less than 0.5 proves nothing.')
    .max(0.999, 'More than 0.999 needs more requests than a soak brings.')
    .optional(),
  minRequests: z.int().min(1).max(1_000_000).optional(),
  /** Requests of our own while a canary is watched, where real ones are few. */
  probes: z
    .strictObject({
      perSecond: z.int().min(1).max(MOST_PROBES, `At most ${MOST_PROBES} a second: they are to show harm, not to be load.`),
      /** Left out: a path that the route takes. */
      path: z
        .string()
        .regex(/^\/[\x21-\x7e]*$/, 'Write a path that begins with /.')
        .max(1_024)
        .optional(),
    })
    .optional(),
});

/** `default`, a namespace, or namespace/name. */
const Scope = z.string().regex(/^[a-z0-9-]+(\/[a-z0-9-]+)?$/, 'Write default, a namespace, or namespace/name.');

export const Ladders = z.record(Scope, Ladder);
export const Objectives = z.record(Scope, Objective);

/** Times that one cluster may have of its own. */
const TIMES = {
  soak: 2 * 60_000,
  afterwatch: 15 * 60_000,
  /** The service after harm was put back: is it well again? */
  restoredWatch: 60_000,
  hold: 30 * 60_000,
  /** An undo that has failed for so long is told to the channel, and may be released. */
  undoTold: 30_000,
  /** How soon a lifted freeze is noticed at first. */
  freezeLook: 10_000,
  heartbeat: 5_000,
  realise: 30_000,
  editEvery: 3_000,
} as const;

type Times<Shape> = Readonly<Record<keyof typeof TIMES, Shape>>;
function times<Shape>(shapeOf: (usual: number) => Shape): Times<Shape> {
  return Object.fromEntries(Object.entries(TIMES).map(([name, usual]) => [name, shapeOf(usual)])) as Times<Shape>;
}

export const Timings = z.strictObject(times((usual) => Duration.default(usual)));
/** Only what is otherwise than for all. */
export const OwnTimings = z.strictObject(times(() => Duration.optional()));

export const GitOps = z.enum(['warn', 'refuse'], 'Write warn or refuse.');
export const TunnelWindow = z.enum(['refused', 'allowed'], 'Write refused or allowed.');
