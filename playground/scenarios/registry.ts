import type { Scenario } from './scenario.ts';
import { lateStories } from './stories/afterwards.ts';
import { canaryStories } from './stories/canary.ts';
import { faultStories } from './stories/faults.ts';
import { peopleStories } from './stories/people.ts';
import { policyStories } from './stories/policy.ts';
import { routeStories } from './stories/routes.ts';

/** Every story, in the order of `list`. A new one goes into the file of its kind. */
export const SCENARIOS: readonly Scenario[] = [
  ...canaryStories,
  ...peopleStories,
  ...faultStories,
  ...policyStories,
  ...routeStories,
  ...lateStories,
];
