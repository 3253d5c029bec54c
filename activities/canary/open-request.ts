import type { Waiting } from '../watch/unanswered.ts';
import type { Side } from './sides.ts';

/** A request that has reached a pod and has no answer yet. */
export interface OpenRequest extends Waiting {
  readonly side: Side;
  readonly id: string;
  readonly about: About;
}

/** What stays true of a request however it ends. */
export interface About {
  /** One of our own. */
  readonly synthetic?: true;
  readonly unsplit?: true;
  readonly cold?: true;
}
