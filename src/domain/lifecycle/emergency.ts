// Changes that begin without the approvals of their gates, and who looks at them afterwards.
import type { Actor } from './actor.ts';

/** Who it was: never what the cluster sees of them. */
export type Signer = Pick<Actor, 'id' | 'name' | 'slack'>;

/** A change that began without the approvals of its gates. */
export interface Emergency {
  readonly opId: string;
  readonly target: string;
  /** Who has asked for it so: once, or for further steps of the same operation. None of them reviews it. */
  readonly by: readonly Signer[];
  readonly reason: string;
  readonly at: number;
  /** By when it is to be reviewed (epoch ms). */
  readonly until: number;
  readonly reviews: readonly Review[];
}

export interface Review {
  readonly by: Signer;
  readonly at: number;
  readonly words?: string;
}

/** How many others sign. */
export const REVIEWS = 2;
