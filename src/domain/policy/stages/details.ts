import * as z from 'zod';
import type { JsonObject } from '../../json.ts';

const Ref = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });
const Direction = z.enum(['ingress', 'egress']);

/** `details` of a policy's plan: what its watch and its realisation must look at. */
export const PolicyDetails = z.object({
  change: z.enum(['enforce', 'observe', 'relax', 'bootstrap', 'delete']),
  opId: z.string(),
  policy: Ref,
  /** The shadow and the directions that it watches; absent where there is none. */
  shadow: z.object({ ref: Ref, directions: z.array(Direction) }).optional(),
  /** Directions that the candidate speaks of. */
  directions: z.array(Direction),
  windowMs: z.number(),
  /** Number of the stage that only observes. */
  observeStage: z.number().optional(),
  /** Number of the stage that takes the shadow away after an observation. */
  cleanStage: z.number().optional(),
  /** The whole policy as it shall be, for the observe stage and to tell whom it selects. */
  candidate: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
  /** Keys of drops that were accepted with the command. */
  accepted: z.array(z.string()),
  /** How many of each in one step; absent in plans of earlier versions: any number. */
  acceptedMost: z.record(z.string(), z.number()).optional(),
});
export type PolicyDetails = z.infer<typeof PolicyDetails>;
