import { upperBound } from './bound.ts';
import type { JudgeSettings, Statistical } from './judge.ts';

/** What one watch tests, decided by its settings alone, before the first event. */
export interface Terms {
  /** Something else receives requests of the same split. */
  readonly control: boolean;
  /** Requests are compared with the control's. */
  readonly compared: boolean;
  /** Share of the split that the canary must at least get half of; 0: not known. */
  readonly share: number;
  /** Failure share that the objective holds against the canary; undefined when it takes no part. */
  readonly objective: number | undefined;
  /** A failure that the control shares is excused. */
  readonly excused: boolean;
  /** Weights of the tests in the sum. They are the operation's: those of its first watch go with the evidence. */
  readonly weights: Readonly<Record<Statistical | 'excused', number>>;
  /** Odds that the sum must reach. */
  readonly needed: number;
}

/** An objective beyond this leaves no worse canary to be told from it. */
const HIGHEST_OBJECTIVE = 0.9;

export function termsOf(settings: JudgeSettings): Terms {
  const { exposure, slo = 'both', baseline, alpha, split = true, known = true } = settings;
  const control = exposure !== 0 && exposure !== 1;
  const standIn = slo === 'relative' && baseline !== undefined;
  // A bound on the earlier share, where one may be needed, spends half.
  const earlier = standIn
    ? Math.min(HIGHEST_OBJECTIVE, Math.max(settings.objective, upperBound(baseline.failures, baseline.requests, alpha / 2)))
    : undefined;
  return {
    control,
    compared: control && split && slo !== 'absolute',
    share: control && split && known ? (exposure ?? 0) : 0,
    objective: slo === 'relative' ? (control ? undefined : earlier) : settings.objective,
    excused: slo === 'excused' && control && split,
    weights: weightsOf(slo, split),
    needed: (standIn ? 2 : 1) / alpha,
  };
}

type Weights = Terms['weights'];
/** One object for all judges of a kind. */
const ALONE: Weights = { objective: 1, relative: 0, silence: 0, excused: 0 };
const ABSOLUTE: Weights = { objective: 0.9, relative: 0, silence: 0.1, excused: 0 };
// Without a control the objective is asked alone, so it keeps a part.
const EXCUSED: Weights = { objective: 0.1, relative: 0.55, silence: 0.1, excused: 0.25 };
const USUAL: Weights = { objective: 0.35, relative: 0.55, silence: 0.1, excused: 0 };

function weightsOf(slo: NonNullable<JudgeSettings['slo']>, split: boolean): Weights {
  if (!split) return ALONE;
  if (slo === 'absolute') return ABSOLUTE;
  return slo === 'excused' ? EXCUSED : USUAL;
}
