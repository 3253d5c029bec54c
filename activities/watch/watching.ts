import type { JsonObject } from '../../src/domain/json.ts';
import type { Evidence } from '../../src/domain/judge/evidence.ts';
import type { Judge, JudgeSettings } from '../../src/domain/judge/judge.ts';
import type { WatchInput } from '../../src/domain/lifecycle/contract.ts';

/** What a verb brings to a watch: who judges, and where the evidence comes from. The rest is the same for all. */
export interface Watching {
  /** The judge of this watch; `resumed` is the snapshot that an earlier attempt left. */
  judge(input: WatchInput, startedAt: number, resumed?: JsonObject): Judge;
  /** What that judge is held to, where its watches are recorded for a replay. */
  settings?(input: WatchInput, startedAt: number): JudgeSettings;
  /**
   * `resumed`: an earlier attempt of this watch has heard everything up to `since`. Streams evidence until the signal aborts. `hear` is called synchronously, event by event. With `since` the evidence begins
   * there (exclusive, epoch ms of event time), as far as it is still held. Resolves when everything is being listened to.
   */
  open(input: WatchInput, hear: Hear, options: OpenOptions): Promise<void>;
}

export interface OpenOptions {
  readonly since: number;
  /** What happened until then somebody has heard (epoch ms): rings need not reach further back. Never before `since`. */
  readonly watchedTo: number;
  readonly resumed: boolean;
  readonly signal: AbortSignal;
  /** Takes the source of a remark, asked whenever people are shown how the watch stands: what is not seen and does not count. */
  readonly remarks?: (unseen: () => string | undefined) => void;
}

export type Hear = (event: Evidence) => void;
