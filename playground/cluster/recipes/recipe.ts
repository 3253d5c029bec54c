import type { Env } from '../cache.ts';
import type { Platform } from '../platform.ts';

/** What a recipe may use while it fills a folder of the cache. */
export type Kitchen = {
  readonly env: Env;
  readonly platform: Platform;
  readonly signal: AbortSignal;
  /** What the ticks of this step say. */
  readonly say: (detail: string) => void;
};

/** How one folder of the cache is made. */
export type Recipe = {
  /** Its name in the progress, with the version where that is known. */
  readonly title: string;
  /** `<name>-<version>` */
  readonly entry: string;
  readonly files: readonly string[];
  /** "built", "installed" or "unpacked": the word for the progress line. */
  readonly verb: string;
  readonly fill: (staging: string, kitchen: Kitchen) => Promise<void>;
};
