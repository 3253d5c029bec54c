import type { Truth } from '../truth.ts';

/** One promise. */
export interface Invariant {
  readonly name: string;
  /** The promise, as a person would say it. */
  readonly says: string;
  /** Why it is broken now, in words; undefined where it holds. `atEnd`: everything was well again for long. */
  readonly broken: (truth: Truth, atEnd: boolean) => string | undefined;
}
