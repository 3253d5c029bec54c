import { formatDuration } from '../duration.ts';
import { percent } from '../judge/words.ts';
import type { OperationSettings } from '../settings.ts';

/** What a canary is held to, for people: one clause each. */
export function heldTo({ objective, latencyLimitMs, slo = 'both', budget, confidence }: OperationSettings): readonly string[] {
  const absolute = `at most ${percent(objective)} of its requests fail (an answer after ${formatDuration(latencyLimitMs)} is a failure)`;
  const relative = 'it does no worse than the others in the same time';
  const rule =
    slo === 'absolute' ? [absolute] : slo === 'relative' ? [`${relative}, even where they break the objective`] : [absolute, relative];
  return [
    ...rule,
    ...(budget === undefined ? [] : [`at most ${budget} failures above the objective in the whole operation`]),
    ...(confidence === undefined ? [] : [`a stage passes when that is proved with ${percent(confidence)} confidence`]),
  ];
}
