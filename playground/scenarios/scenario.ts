import type { JsonObject } from '../../src/domain/json.ts';
import type { PartName } from '../cilium/parts.ts';
import type { RigOptions, Tuning } from '../rig/rig.ts';
import type { Operation } from './operation.ts';
import type { Scene } from './scene.ts';

/** One story that is told on the real stack. It throws a `StoryBroken` when something is not as it must be. */
export interface Scenario {
  readonly name: string;
  /** One sentence for `list`. */
  readonly story: string;
  /** When the story needs a rig of its own: what is different there. */
  readonly rig?: Partial<Pick<RigOptions, 'requestsPerSecond' | 'preset'>>;
  /** What is otherwise in the product's configuration while the story is told. */
  readonly tuning?: Tuning;
  /** A part of the demo mesh that is there for this story only: it comes before and goes after, and its canary is the one that is measured. */
  readonly part?: PartName;
  /** Why `npm test` leaves it out, to be run by hand: too long, or not steady yet. */
  readonly byHand?: string;
  /** Plays it. What it returns is measured and reported; extra members go into the report as they are. */
  play(scene: Scene): Promise<Played>;
}

export interface Played {
  /** The operation the report is about; absent when the story is that none came to be. */
  readonly operation?: Operation;
  readonly extra?: JsonObject;
}

/** The story did not end as it must. */
export class StoryBroken extends Error {
  override name = 'StoryBroken' as const;
}

/** Breaks the story unless `holds`. */
export function must(holds: boolean, words: string): asserts holds {
  if (!holds) throw new StoryBroken(words);
}
