import type { Random } from '../random.ts';
import type { Happening, Step } from '../step.ts';
import { CANDIDATE_NAMES, OTHER_POLICY_NAMES } from '../world/candidates.ts';
import { OPERATORS } from '../world/people.ts';
import { agree, press, say, wait } from './acts.ts';

const ROLLOUTS: Readonly<Record<string, number>> = {
  'policy enforce backend --window 10s': 8,
  'policy enforce backend --no-observe': 10,
  'policy observe backend --window 10s': 4,
  'policy relax backend': 5,
  'policy bootstrap shop --no-observe': 3,
  'policy delete backend': 5,
  'policy enforce frontend --no-observe': 6,
  'rollback backend': 5,
  'abort backend': 3,
};

/** Policies: people, pods, ConfigMaps and other hands. */
export function rollout(random: Random): readonly Step[] {
  const step = (what: Happening): Step => ({ ...what, wait: wait(random) });
  const by = random.one(OPERATORS).name;
  switch (random.weighted({ enforce: 40, offer: 8, pods: 14, labels: 8, overlap: 10, connect: 8, hands: 8, press: 14 })) {
    case 'enforce':
      return [
        ...(random.chance(0.4) ? [{ do: 'offer', policy: random.one(CANDIDATE_NAMES), wait: 100 } satisfies Step] : []),
        say(by, random.weighted(ROLLOUTS), random.between(1_500, 4_000)),
        agree(random, 500, 60_000),
        ...(random.chance(0.6) ? [agree(random, 10_000, 90_000)] : []),
      ];
    case 'offer':
      return [step({ do: 'offer', policy: random.one(CANDIDATE_NAMES) })];
    case 'pods':
      if (random.chance(0.3)) return [step({ do: 'replace-pod', inPlace: true })];
      return [step(random.chance(0.6) ? { do: 'replace-pod' } : { do: 'scale-workload', count: random.one([1, 3, 5]) })];
    case 'labels':
      return [step({ do: 'relabel-pod', how: random.one(['leaves', 'returns', 'strips', 'joins'] as const) })];
    case 'overlap':
      return random.chance(0.5)
        ? [step({ do: 'other-policy', which: random.one([...OTHER_POLICY_NAMES, 'none'] as const) })]
        : [
            say(by, 'policy enforce backend --no-observe', random.between(0, 3_000)),
            say(
              random.one(OPERATORS).name,
              random.one(['policy enforce frontend --no-observe', 'policy bootstrap shop --no-observe']),
              3_000,
            ),
            agree(random, 0, 2_000),
            agree(random, 500, 60_000),
          ];
    case 'connect':
      return [step({ do: 'connect', which: random.one([1, 3, 5]) })];
    case 'hands':
      return [step(random.chance(0.7) ? { do: 'edit-policy' } : { do: 'delete-policy' })];
    case 'press':
      return [step(press(random))];
  }
}
