import type { JsonObject } from '../json.ts';
import type { Plan, PlannedStage } from '../lifecycle/plan.ts';
import { type Refusal, sentenceOf } from '../words/sentences.ts';
import type { Gainer } from './gainers.ts';

/** What a canary, a header rule or a way back would do; hash, originals, rights and readiness are the activity's. */
export interface Planned {
  readonly kind: 'planned';
  readonly stages: readonly PlannedStage[];
  /** Shares in words: `backend 100%, backend-canary 0%`. */
  readonly from: string;
  readonly to: string;
  readonly explanation: readonly string[];
  readonly watched: readonly string[];
  /** As CanaryDetails, so that every one of them is watched alike. */
  readonly details: JsonObject;
  readonly back?: NonNullable<Plan['back']>;
  readonly lowers?: boolean;
  /** Who gets more than today: they must be able to serve it. */
  readonly gains?: readonly Gainer[];
}

export interface Impossible {
  readonly kind: 'impossible';
  readonly code: Refusal['code'];
  readonly words: string;
  /** Names that may have been meant instead of the one that was typed, for each of which the same command can be planned. */
  readonly candidates?: readonly string[];
}

export function impossible(refusal: Refusal): Impossible {
  const near = refusal.code === 'NoRoute' ? refusal.parameters.near : undefined;
  return { kind: 'impossible', code: refusal.code, words: sentenceOf(refusal), ...(near && near.length > 0 ? { candidates: near } : {}) };
}

/** Several Services could be meant, or one that is too much to guess: the same command with `<namespace>/<candidate>` says which. */
export interface Unclear {
  readonly kind: 'ambiguous';
  readonly code: Refusal['code'];
  readonly words: string;
  readonly candidates: readonly string[];
}

export function unclear({ name }: { readonly name: string }, candidates: readonly string[]): Unclear {
  const words = sentenceOf({ code: 'Ambiguous', parameters: { service: name, candidates } });
  return { kind: 'ambiguous', code: 'Ambiguous', words, candidates };
}
