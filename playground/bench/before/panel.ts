import { upperBound } from '../../../src/domain/judge/bound.ts';
import { type Statistical, splitAlpha } from './alpha.ts';
import type { BeforeSettings } from './settings.ts';

/** Who judges in one watch, with which share of alpha. Decided by the settings alone, before the first event. */
export interface Panel {
  /** Something else receives requests in the same window. */
  readonly control: boolean;
  readonly alpha: Readonly<Record<Statistical, number>>;
  /** Failure share that the objective judge holds against the canary; undefined when it takes no part. */
  readonly objective: number | undefined;
  /** Odds that each judge must reach; Infinity for one that takes no part. */
  readonly needed: Readonly<Record<Statistical, number>>;
}

/** An objective beyond this leaves no worse canary to be told from it. */
const HIGHEST_OBJECTIVE = 0.9;

export function panelOf(settings: BeforeSettings): Panel {
  const { exposure, slo = 'both', baseline, drops } = settings;
  const control = exposure !== 0 && exposure !== 1;
  const standIn = slo === 'relative' && !control && baseline !== undefined;
  const judges: Statistical[] = [];
  if (slo !== 'relative' || standIn) judges.push('objective');
  if (slo !== 'absolute' && control) judges.push('relative');
  if (drops) judges.push('drops');
  const alpha = splitAlpha(settings.alpha, judges);
  const objective = standIn ? earlierShare(settings, baseline, alpha.objective / 2) : settings.objective;
  // The bound on the earlier share has spent half.
  const needed = { objective: (standIn ? 2 : 1) / alpha.objective, relative: 1 / alpha.relative, drops: 1 / alpha.drops };
  return { control, alpha, objective: judges.includes('objective') ? objective : undefined, needed };
}

function earlierShare(settings: BeforeSettings, { requests, failures }: NonNullable<BeforeSettings['baseline']>, alpha: number): number {
  return Math.min(HIGHEST_OBJECTIVE, Math.max(settings.objective, upperBound(failures, requests, alpha)));
}
