import { Random } from './random.ts';
import { apart } from './schedule/clocks.ts';
import { episode } from './schedule/episodes.ts';
import { meeting } from './schedule/meeting.ts';
import { rollout } from './schedule/rollout.ts';
import type { Schedule, Step } from './step.ts';
import type { WorldOptions } from './world/settings.ts';

/** Steps of a schedule. Most faults need few: what is found is seldom longer than eight. Some schedules are long, so that things pile up. */
const SHORT = { share: 0.75, least: 5, most: 14 } as const;
const LONG = { least: 15, most: 30 } as const;
/** So many schedules begin with a trouble that comes in a phase that was chosen for it: chance alone meets some pairs almost never. */
const MEETINGS = 0.35;
/** Schedules of which the clocks are apart. */
const CLOCKS_APART = 0.08;

/** A schedule at random, the same for the same seed. */
export function generate(seed: number): Schedule {
  const random = new Random(seed);
  const plain = worldOf(random);
  const withPolicies = random.chance(0.25);
  const { least, most } = random.chance(SHORT.share) ? SHORT : LONG;
  const length = random.between(least, most);
  const met = random.chance(MEETINGS) ? meeting(random) : undefined;
  const steps: Step[] = [...(met?.steps ?? [])];
  while (steps.length < length)
    steps.push(...((withPolicies || met?.world.policies) && random.chance(0.6) ? rollout(random) : episode(random)));
  const isAboutPolicies = withPolicies || met?.world.policies === true;
  const overlaps = isAboutPolicies && random.chance(0.4);
  const clocks = random.chance(CLOCKS_APART) ? { clocks: apart(random) } : {};
  const world = {
    ...clocks,
    ...plain,
    ...met?.world,
    ...(isAboutPolicies && { policies: true as const }),
    ...(overlaps && { overlap: true as const }),
  };
  return { seed, world, steps: steps.slice(0, Math.max(length, met?.steps.length ?? 0)) };
}

function worldOf(random: Random): WorldOptions {
  const kind = random.weighted({ usual: 60, short: 10, budget: 8, two: 12, slow: 6, small: 3, large: 0.3 });
  switch (kind) {
    case 'usual':
      return random.chance(0.3) ? { gates: 1 } : {};
    case 'short':
      return { afterwatchMs: 0 };
    case 'budget':
      return { budget: 4, gates: 1 };
    case 'two':
      return { workers: 2 };
    case 'slow':
      return { controllerMs: random.one([3_000, 12_000, 19_000]) };
    case 'small':
      return { payload: 65_536 };
    case 'large':
      return { routes: 34, rules: 16, gates: 1 };
  }
}
