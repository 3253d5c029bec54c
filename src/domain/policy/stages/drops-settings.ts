import type { Direction } from '../policy.ts';

/** What one watch of a policy is held to. Times in epoch ms. */
export interface DropsSettings {
  /** When the stage was written: an earlier drop is not its doing, and an earlier connection shows who was let through before. */
  readonly from: number;
  /** Keys of groups that people accepted (`doubtKey`, `anyPortKey`). */
  readonly accepted: readonly string[];
  /** How many of an accepted group may come in this watch; a key that is not there: any number. More is asked again. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Keys that people were asked about and have put off: told at the end of this watch, not asked again before. */
  readonly postponed?: readonly string[];
  /** Nothing is enforced yet: what would be dropped is asked about at the end, and a silent direction is told. */
  readonly observing: boolean;
  readonly directions: readonly Direction[];
  /** False: people are being asked already, or nobody is there to ask; doubts are only told at the end. */
  readonly asks: boolean;
  /** So many requests must have come through a proxy that is new to them; left out: one. */
  readonly leastRequests?: number;
  /**
   * Until when the watch goes on by itself where it has not seen yet what the stage decides otherwise than before; then people are asked. Left out:
   * not beyond its planned end.
   */
  readonly patientUntil?: number;
  /** What there was before the stage is told, and then that it has been (`before`): until then nothing is known of what must be seen. */
  readonly hearsBefore?: true;
}
