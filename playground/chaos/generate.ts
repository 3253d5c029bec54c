import { ACTION, type ActionId } from '../../src/domain/button.ts';
import { Random } from './random.ts';
import type { Happening, Schedule, Step } from './step.ts';
import { CANDIDATE_NAMES } from './world/candidates.ts';
import { MODES, SYSTEMS } from './world/faults.ts';
import { NODES } from './world/mesh.ts';
import { GUEST, OPERATORS, PEOPLE, REVIEWERS } from './world/people.ts';
import type { WorldOptions } from './world/settings.ts';

/** Steps of a schedule. Most faults need few: what is found is seldom longer than eight. Some schedules are long, so that things pile up. */
const SHORT = { share: 0.75, least: 5, most: 14 } as const;
const LONG = { least: 15, most: 30 } as const;

/** A schedule at random, the same for the same seed. */
export function generate(seed: number): Schedule {
  const random = new Random(seed);
  const plain = worldOf(random);
  const withPolicies = random.chance(0.25);
  const { least, most } = random.chance(SHORT.share) ? SHORT : LONG;
  const length = random.between(least, most);
  const steps: Step[] = [];
  while (steps.length < length) steps.push(...(withPolicies && random.chance(0.6) ? rollout(random) : episode(random)));
  const world = withPolicies ? { ...plain, policies: true as const } : plain;
  return { seed, world, steps: steps.slice(0, length) };
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

const COMMANDS: Readonly<Record<string, number>> = {
  'canary backend 5%': 8,
  'canary backend 10%': 10,
  'canary backend 50%': 5,
  'canary backend 100%': 3,
  'canary backend 0%': 4,
  'promote backend': 4,
  'rollback backend': 8,
  'abort backend': 5,
  'ab backend x-canary=v2': 1,
  'ab backend off': 1,
  'status backend': 1,
  'freeze demo 1m deploys': 2,
  'freeze demo 2h night': 1,
  'unfreeze demo': 3,
};

const PRESSES: Partial<Readonly<Record<keyof typeof ACTION, number>>> = {
  approve: 20,
  reject: 2,
  abort: 3,
  extend: 4,
  continue: 5,
  rollback: 2,
  adopt: 2,
  restore: 2,
  leave: 1,
  nextPromote: 3,
  nextRollback: 5,
  nextZero: 1,
};

const WAITS: Readonly<Record<string, number>> = { none: 12, ms: 10, second: 14, seconds: 34, soak: 22, minutes: 8, hours: 1, days: 0.4 };

/** From at once to days; most are about as long as a stage takes. */
function wait(random: Random): number {
  switch (random.weighted(WAITS)) {
    case 'none':
      return 0;
    case 'ms':
      return random.between(1, 300);
    case 'second':
      return random.between(300, 2_000);
    case 'seconds':
      return random.between(2_000, 12_000);
    case 'soak':
      return random.between(12_000, 60_000);
    case 'minutes':
      return random.between(1, 20) * 60_000;
    case 'hours':
      return random.between(1, 6) * 3_600_000;
    default:
      return random.between(20, 50) * 3_600_000;
  }
}

/** Some steps that belong together, since a schedule of unrelated ones seldom gets anywhere. */
function episode(random: Random): readonly Step[] {
  const step = (what: Happening): Step => ({ ...what, wait: wait(random) });
  const soon = (what: Happening, low: number, high: number): Step => ({ ...what, wait: random.between(low, high) });
  const anybody = (): string => random.one(PEOPLE).name;
  switch (random.weighted({ change: 26, complete: 12, story: 16, press: 16, trouble: 18, edit: 8, command: 10, people: 4 })) {
    case 'complete':
      return completed(random);
    case 'story':
      return story(random);
    case 'change': {
      const command = soon({ do: 'command', by: random.one(OPERATORS).name, text: forward(random) }, 300, 3_000);
      const approve = step({ do: 'press', by: random.one(REVIEWERS).name, action: ACTION.approve });
      const again = random.chance(0.5) ? [step({ do: 'press', by: random.one(REVIEWERS).name, action: ACTION.approve })] : [];
      return random.chance(0.9) ? [command, approve, ...again] : [command];
    }
    case 'press':
      return [step(press(random))];
    case 'trouble':
      return trouble(random, step);
    case 'edit':
      return [step(edit(random))];
    case 'command':
      return [step({ do: 'command', by: anybody(), text: random.weighted(COMMANDS) })];
    case 'people':
      return random.chance(0.6)
        ? [step({ do: 'redeliver' })]
        : [
            step({ do: 'press', by: GUEST.name, action: ACTION.approve }),
            step({ do: 'press', by: random.one(REVIEWERS).name, action: ACTION.approve }),
          ];
  }
}

const agree = (random: Random, low: number, high: number): Step => ({
  do: 'press',
  by: random.one(random.chance(0.85) ? REVIEWERS.slice(0, 2) : REVIEWERS).name,
  action: ACTION.approve,
  wait: random.between(low, high),
});

const say = (by: string, text: string, wait: number): Step => ({ do: 'command', by, text, wait });

/** A change that comes to its end, and what people do with it then. */
function completed(random: Random): readonly Step[] {
  const by = random.one(OPERATORS).name;
  const begin = [say(by, `canary backend ${random.one([5, 10, 10])}%`, random.between(1_000, 3_000)), agree(random, 56_000, 70_000)];
  const back = (): Step =>
    random.chance(0.6)
      ? say(random.one(OPERATORS).name, random.one(['rollback backend', 'rollback backend', 'canary backend 0%']), random.between(0, 4_000))
      : random.chance(0.5)
        ? { do: 'press', by, action: ACTION.nextRollback, wait: random.between(0, 4_000) }
        : { do: 'press-old', by, action: ACTION.nextRollback, back: random.between(0, 2), wait: random.between(0, 4_000) };
  return [...begin, ...Array.from({ length: random.between(0, 3) }, back)];
}

/** What seldom comes about by chance alone, in all its variants. */
function story(random: Random): readonly Step[] {
  const by = random.one(OPERATORS).name;
  const begin = [say(by, `canary backend ${random.one([5, 10, 50])}%`, random.between(1_000, 3_000)), agree(random, 2_000, 34_000)];
  const fail: Step = { do: 'fail', side: 'canary', share: random.one([1, 1, 0.05]), wait: random.between(20_000, 90_000) };
  const minutes = (low: number, high: number): number => random.between(low, high) * 60_000;
  switch (random.weighted({ orphan: 10, away: 12, drift: 12, frozen: 10, lost: 8, unready: 6, budget: 5, stop: 8, hold: 8 })) {
    case 'orphan':
      return [
        ...begin,
        { do: 'terminate', wait: random.between(0, 90_000) },
        say(by, random.one(['abort backend', 'rollback backend', 'status backend']), 5_000),
      ];
    case 'away': {
      const system = random.one(['slack', 'database'] as const);
      const out: Step = {
        do: 'outage',
        system,
        mode: random.one(MODES),
        wait: random.chance(0.5) ? minutes(1, 90) : random.between(5_000, 60_000),
      };
      return [...begin, out, { do: 'heal', system, wait: random.between(1_000, 60_000) }];
    }
    case 'drift':
      return [...begin, { do: 'edit-weights', canary: random.one([5, 25, 50]), wait: random.between(0, 40_000) }, fail];
    case 'frozen':
      return [
        ...begin.slice(0, 1),
        agree(random, 1_000, 9_000),
        say(by, `freeze demo ${random.one(['5m', '2h', '30h'])} deploys`, random.between(10_000, 50_000)),
        { do: 'edit-weights', canary: random.one([10, 50]), wait: random.between(1_000, 60_000) },
        ...(random.chance(0.5) ? [fail] : [{ do: 'redeliver', wait: minutes(10, 300) } satisfies Step]),
      ];
    case 'lost':
      return [
        ...begin,
        {
          do: 'lose',
          node: random.one([NODES.gateway, NODES.other]),
          count: random.one([3, 50_000]),
          wait: random.between(20_000, 60_000),
        },
      ];
    case 'unready':
      return [
        ...completed(random).slice(0, 2),
        { do: 'scale', side: 'stable', count: 0, wait: 1_000 },
        say(by, random.one(['canary backend 0%', 'rollback backend']), 20_000),
      ];
    case 'budget':
      return [...begin, { do: 'fail', side: 'canary', share: random.one([0.03, 0.06, 0.1]), wait: minutes(1, 12) }];
    case 'stop': {
      const stop: Step = random.chance(0.5) ? say(by, 'abort backend', 0) : { do: 'press', by, action: ACTION.abort, wait: 0 };
      return [...begin.slice(0, 1), agree(random, 11_000, 16_000), { ...stop, wait: random.between(0, 20_000) }];
    }
    case 'hold': {
      const press = (): Step => ({
        do: 'press',
        by: random.one(REVIEWERS).name,
        action: random.one([ACTION.extend, ACTION.extend, ACTION.continue]),
        wait: random.between(10_000, 100_000),
      });
      return [
        ...begin,
        { do: 'quiet', quiet: true, wait: random.between(8_000, 30_000) },
        press(),
        press(),
        { do: 'quiet', quiet: false, wait: 10_000 },
        press(),
      ];
    }
  }
}

const ROLLOUTS: Readonly<Record<string, number>> = {
  'policy enforce backend --window 10s': 8,
  'policy enforce backend --no-observe': 10,
  'policy observe backend --window 10s': 4,
  'policy relax backend': 5,
  'policy bootstrap shop --no-observe': 3,
  'rollback backend': 5,
  'abort backend': 3,
};

/** Policies: people, pods, ConfigMaps and other hands. */
function rollout(random: Random): readonly Step[] {
  const step = (what: Happening): Step => ({ ...what, wait: wait(random) });
  const by = random.one(OPERATORS).name;
  switch (random.weighted({ enforce: 40, offer: 8, pods: 14, connect: 8, hands: 8, press: 14 })) {
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
      return [step(random.chance(0.6) ? { do: 'replace-pod' } : { do: 'scale-workload', count: random.one([1, 3, 5]) })];
    case 'connect':
      return [step({ do: 'connect', which: random.one([1, 3, 5]) })];
    case 'hands':
      return [step(random.chance(0.7) ? { do: 'edit-policy' } : { do: 'delete-policy' })];
    case 'press':
      return [step(press(random))];
  }
}

function forward(random: Random): string {
  const percent = random.one([1, 5, 5, 10, 10, 10, 50, 100]);
  const flags = random.chance(0.1) ? ' --steps 5,10' : '';
  return random.chance(0.15) ? 'promote backend' : `canary backend ${percent}%${percent > 10 ? flags : ''}`;
}

function press(random: Random): Happening {
  const action: ActionId = ACTION[random.weighted(PRESSES as Record<keyof typeof ACTION, number>)];
  const by = random.one(PEOPLE).name;
  if (random.chance(0.25)) return { do: 'press-old', by, action, back: random.between(0, 3) };
  return { do: 'press', by, action, ...(action === ACTION.reject && { reason: 'not today' }) };
}

function trouble(random: Random, step: (what: Happening) => Step): readonly Step[] {
  switch (
    random.weighted({
      outage: 40,
      heal: 12,
      fail: 25,
      well: 6,
      noise: 4,
      agent: 6,
      lose: 5,
      scale: 8,
      kill: 5,
      terminate: 3,
      quiet: 3,
      status: 2,
    })
  ) {
    case 'outage': {
      const system = random.one(SYSTEMS);
      const out = step({ do: 'outage', system, mode: random.one(MODES) });
      return random.chance(0.6) ? [out, step({ do: 'heal', system })] : [out];
    }
    case 'heal':
      return SYSTEMS.map((system): Step => ({ do: 'heal', system, wait: 0 })).slice(0, 6);
    case 'fail':
      return [step({ do: 'fail', side: 'canary', share: random.one([1, 1, 1, 0.6, 0.2]) })];
    case 'well':
      return [step({ do: 'fail', side: 'canary', share: 0 })];
    case 'noise':
      return [step({ do: 'fail', side: 'stable', share: random.one([0.002, 0.005, 0]) })];
    case 'agent': {
      const node = random.one(Object.values(NODES));
      return [step({ do: 'agent', node, away: true }), step({ do: 'agent', node, away: false })];
    }
    case 'lose':
      return [step({ do: 'lose', node: random.one(Object.values(NODES)), count: random.one([1, 40, 50_000]) })];
    case 'scale':
      return [step({ do: 'scale', side: random.one(['stable', 'canary', 'canary'] as const), count: random.one([0, 0, 1, 3]) })];
    case 'kill':
      return [step({ do: 'kill-worker', backAfter: random.one([100, 3_000, 20_000]) })];
    case 'terminate':
      return [step({ do: 'terminate' })];
    case 'quiet':
      return [step({ do: 'quiet', quiet: random.chance(0.6) })];
    case 'status':
      return [step({ do: 'leave-status' })];
  }
}

function edit(random: Random): Happening {
  const kind = random.weighted({ weights: 30, label: 10, strip: 8, forge: 8, delete: 6, recreate: 6 });
  switch (kind) {
    case 'weights':
      return { do: 'edit-weights', canary: random.one([0, 5, 10, 25, 50, 100]) };
    case 'label':
      return { do: 'edit-label', value: random.one(['a', 'b', 'c']) };
    case 'strip':
      return { do: 'strip-token' };
    case 'forge':
      return { do: 'forge-token' };
    case 'delete':
      return { do: 'delete-route' };
    case 'recreate':
      return { do: 'recreate-route' };
  }
}
