import { ACTION } from '../../../src/domain/button.ts';
import type { Phase } from '../../../src/domain/operation.ts';
import type { Random } from '../random.ts';
import { PHASES, TROUBLES } from '../states.ts';
import type { Happening, Step } from '../step.ts';
import type { Mode, System } from '../world/faults.ts';
import { NODES } from '../world/mesh.ts';
import { OPERATORS, REVIEWERS } from '../world/people.ts';
import type { WorldOptions } from '../world/settings.ts';
import { say } from './acts.ts';

interface Meeting {
  readonly world: WorldOptions;
  readonly steps: readonly Step[];
}

/** A trouble comes while an operation is in a certain phase, stays a while and goes. Each pair is as likely as any other. */
export function meeting(random: Random): Meeting {
  const phase = random.one(PHASES);
  const trouble = random.one(TROUBLES);
  const [comes, goes] = about(random, trouble);
  const stay = random.weighted({ short: 60, soak: 30, long: 10 });
  const pause =
    stay === 'short' ? random.between(1_200, 6_000) : stay === 'soak' ? random.between(6_000, 30_000) : random.between(60_000, 900_000);
  const steps = [
    ...reach(random, phase),
    ...comes.map((what, index): Step => ({ ...what, wait: index === comes.length - 1 ? pause : 0 })),
    ...(random.chance(0.8) ? goes.map((what): Step => ({ ...what, wait: random.between(500, 20_000) })) : []),
  ];
  // What is slow to come into force is being applied for longer.
  return { world: phase === 'applying' && random.chance(0.7) ? { controllerMs: random.one([3_000, 12_000]) } : {}, steps };
}

/** Steps after which an operation is in the phase, mostly. */
function reach(random: Random, phase: Phase): readonly Step[] {
  const by = random.one(OPERATORS).name;
  const ask = (low: number, high: number): Step => say(by, 'canary backend 5%', random.between(low, high));
  // Omar may be who asked.
  const agree = (low: number, high: number): Step => ({
    do: 'press',
    by: random.one(REVIEWERS.slice(0, 2)).name,
    action: ACTION.approve,
    wait: random.between(low, high),
  });
  switch (phase) {
    case 'planning':
      return [ask(5, 330)];
    case 'waiting':
      return [ask(1_000, 4_000)];
    case 'applying':
      return [ask(1_000, 2_000), agree(90, 500)];
    case 'watching':
      return [ask(1_000, 2_000), agree(1_500, 9_000)];
    case 'holding':
      return [
        ask(1_000, 2_000),
        agree(1_500, 6_000),
        { do: 'lose', node: NODES.gateway, count: 50_000, wait: random.between(1_500, 40_000) },
      ];
    case 'afterwatch':
      return [ask(1_000, 2_000), agree(14_500, 45_000)];
    case 'restoring':
      return [
        ask(1_000, 2_000),
        agree(1_500, 6_000),
        random.chance(0.5)
          ? { do: 'fail', side: 'canary', share: 1, wait: random.between(1_000, 9_000) }
          : { do: 'press', by, action: ACTION.abort, wait: random.between(50, 400) },
      ];
    case 'over':
      return [ask(1_000, 2_000), agree(56_000, 75_000)];
    default:
      return phase satisfies never;
  }
}

/** What makes the trouble, and what ends it. */
function about(random: Random, trouble: string): readonly [readonly Happening[], readonly Happening[]] {
  const [system, mode] = trouble.split(' ') as [System, Mode];
  switch (trouble) {
    case 'none':
      return [[{ do: 'redeliver' }], []];
    case 'canary fails':
      return [[{ do: 'fail', side: 'canary', share: random.one([1, 0.6]) }], [{ do: 'fail', side: 'canary', share: 0 }]];
    case 'noise':
      return [[{ do: 'fail', side: 'stable', share: 0.005 }], [{ do: 'fail', side: 'stable', share: 0 }]];
    case 'no canary pods':
      return [[{ do: 'scale', side: 'canary', count: 0 }], [{ do: 'scale', side: 'canary', count: 2 }]];
    case 'no stable pods':
      return [[{ do: 'scale', side: 'stable', count: 0 }], [{ do: 'scale', side: 'stable', count: 2 }]];
    case 'agent away': {
      const node = random.one(Object.values(NODES));
      return [[{ do: 'agent', node, away: true }], [{ do: 'agent', node, away: false }]];
    }
    case 'other hands':
      return [[random.chance(0.6) ? { do: 'edit-weights', canary: random.one([0, 25, 50]) } : { do: 'edit-label', value: 'a' }], []];
    case 'frozen':
      return [
        [{ do: 'command', by: random.one(OPERATORS).name, text: `freeze demo ${random.one(['1m', '10m', '2h'])} deploys` }],
        [{ do: 'command', by: random.one(OPERATORS).name, text: 'unfreeze demo' }],
      ];
    case 'no traffic':
      return [[{ do: 'quiet', quiet: true }], [{ do: 'quiet', quiet: false }]];
    default:
      return [[{ do: 'outage', system, mode }], [{ do: 'heal', system }]];
  }
}
