import { ACTION } from '../../../src/domain/lifecycle/button.ts';
import type { Phase } from '../../../src/domain/lifecycle/operation.ts';
import type { Random } from '../random.ts';
import { PHASES, TROUBLES } from '../states.ts';
import type { Happening, Step } from '../step.ts';
import { type CandidateName, OTHER_POLICY_NAMES } from '../world/candidates.ts';
import type { Mode, System } from '../world/faults.ts';
import { NODES } from '../world/mesh.ts';
import { OPERATORS, REVIEWERS } from '../world/people.ts';
import type { WorldOptions } from '../world/settings.ts';
import { SECOND } from '../world/workload.ts';
import { agree, say } from './acts.ts';
import { apart } from './clocks.ts';

interface Meeting {
  readonly world: WorldOptions;
  readonly steps: readonly Step[];
}

/** A trouble comes while an operation is in a certain phase, stays a while and goes. Each pair is as likely as any other. */
export function meeting(random: Random): Meeting {
  const phase = random.one(PHASES);
  const trouble = random.one(TROUBLES);
  const [comes, goes] = about(random, trouble);
  const worlds = worldFor(random, phase, trouble);
  const stay = random.weighted({ short: 60, soak: 30, long: 10 });
  const pause =
    stay === 'short' ? random.between(1_200, 6_000) : stay === 'soak' ? random.between(6_000, 30_000) : random.between(60_000, 900_000);
  const steps = [
    ...(worlds.policies ? rolling(random, phase) : reach(random, phase)),
    ...comes.map((what, index): Step => ({ ...what, wait: index === comes.length - 1 ? pause : 0 })),
    ...(random.chance(0.8) ? goes.map((what): Step => ({ ...what, wait: random.between(500, 20_000) })) : []),
  ];
  return { world: worlds, steps };
}

/** What is slow to come into force is being applied for longer; some troubles are of the world itself. */
function worldFor(random: Random, phase: Phase, trouble: string): WorldOptions {
  const slow = phase === 'applying' && random.chance(0.5) ? { controllerMs: random.one([3_000, 12_000]) } : {};
  switch (trouble) {
    case 'clocks apart':
      return { ...slow, clocks: apart(random) };
    case 'two workers':
      return { ...slow, workers: 2 };
    case 'pods relabelled':
      return { ...slow, policies: true };
    case 'selectors overlap':
      return { ...slow, policies: true, ...(random.chance(0.6) && { overlap: true as const }) };
    default:
      return slow;
  }
}

/** Steps after which an operation is in the phase, mostly. */
function reach(random: Random, phase: Phase): readonly Step[] {
  return promptly(random, phase, stepsTo(random, phase));
}

/** Phases that last milliseconds are met only by what comes the moment they begin. */
function promptly(random: Random, phase: Phase, steps: readonly Step[]): readonly Step[] {
  if (!random.chance(0.6)) return steps;
  return steps.map((step, index) => (index === steps.length - 1 ? { ...step, wait: step.wait + 60_000, until: phase } : step));
}

function stepsTo(random: Random, phase: Phase): readonly Step[] {
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

/** The same for a rollout of a policy. */
function rolling(random: Random, phase: Phase): readonly Step[] {
  const by = random.one(OPERATORS).name;
  const ask = say(by, 'policy enforce backend --no-observe', random.between(1_500, 3_000));
  const yes = (low: number, high: number): Step => agree(random, low, high);
  const offer = (policy: CandidateName): Step => ({ do: 'offer', policy, wait: 100 });
  const stop: Step = { do: 'press', by, action: ACTION.abort, wait: random.between(50, 400) };
  const steps: Readonly<Record<Phase, readonly Step[]>> = {
    planning: [{ ...ask, wait: random.between(5, 330) }],
    waiting: [ask],
    applying: [ask, yes(20, 300)],
    watching: [ask, yes(3_000, 30_000)],
    holding: [offer('closed'), ask, yes(3_000, 60_000)],
    afterwatch: [ask, yes(100_000, 160_000)],
    restoring: [ask, yes(3_000, 30_000), stop],
    over: [ask, yes(170_000, 220_000)],
  };
  return promptly(random, phase, steps[phase]);
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
    case 'clocks apart':
    case 'two workers':
      return [[{ do: 'kill-worker', backAfter: random.one([100, 3_000]) }], []];
    case 'pods relabelled':
      return [[{ do: 'relabel-pod', how: random.one(['leaves', 'strips', 'joins'] as const) }], [{ do: 'relabel-pod', how: 'returns' }]];
    case 'selectors overlap':
      return [
        [
          random.chance(0.5)
            ? { do: 'other-policy', which: random.one(OTHER_POLICY_NAMES) }
            : { do: 'command', by: random.one(OPERATORS).name, text: `policy enforce ${SECOND} --no-observe` },
        ],
        [{ do: 'other-policy', which: 'none' }],
      ];
    case 'no traffic':
      return [[{ do: 'quiet', quiet: true }], [{ do: 'quiet', quiet: false }]];
    default:
      return [[{ do: 'outage', system, mode }], [{ do: 'heal', system }]];
  }
}
