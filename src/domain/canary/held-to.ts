import type { OperationSettings } from '../lifecycle/settings.ts';
import { formatDuration } from '../words/duration.ts';
import { percent } from '../words/words.ts';

/** What a canary is held to, for people: one clause each. */
export function heldTo(settings: OperationSettings, isCompared = true): readonly string[] {
  const { objective, latencyLimitMs, slo = 'both', budget, confidence } = settings;
  const absolute = `at most ${percent(objective)} of its requests fail (an answer after ${formatDuration(latencyLimitMs)} is a failure)`;
  const relative = 'it does no worse than the others in the same requests';
  const rules = {
    both: [absolute, relative],
    absolute: [absolute],
    relative: [`${relative}, even where they break the objective`],
    excused: [`${absolute}, or no more than of the others in the same requests`],
  };
  return [
    ...(isCompared ? rules[slo] : [absolute]),
    ...(budget === undefined ? [] : [`at most ${budget} failures above the objective in the whole operation`]),
    ...(confidence === undefined
      ? []
      : [
          `a stage passes when its failures on the whole are proved to lie within that, with ${percent(confidence)} confidence over all stages`,
        ]),
  ];
}
