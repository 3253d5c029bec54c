import { ACTION } from '../../../src/domain/lifecycle/button.ts';
import type { Random } from '../random.ts';
import type { Step } from '../step.ts';
import { MODES } from '../world/faults.ts';
import { NODES } from '../world/mesh.ts';
import { OPERATORS, REVIEWERS } from '../world/people.ts';
import { agree, say } from './acts.ts';

/** A change that comes to its end, and what people do with it then. */
export function completed(random: Random): readonly Step[] {
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
export function story(random: Random): readonly Step[] {
  const by = random.one(OPERATORS).name;
  const begin = [say(by, `canary backend ${random.one([5, 10, 50])}%`, random.between(1_000, 3_000)), agree(random, 2_000, 34_000)];
  const fail: Step = { do: 'fail', side: 'canary', share: random.one([1, 1, 0.05]), wait: random.between(20_000, 90_000) };
  const minutes = (low: number, high: number): number => random.between(low, high) * 60_000;
  switch (random.weighted({ orphan: 10, away: 12, drift: 12, frozen: 10, lost: 8, unready: 6, budget: 5, stop: 8, hold: 8, patient: 8 })) {
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
    case 'patient': {
      // Further steps that nobody approves: each waits until its gate expires, and what is in force stays watched.
      const ask = (): Step => say(by, 'canary backend 50%', random.between(905, 935) * 1_000);
      return [
        say(by, 'canary backend 5%', random.between(1_000, 3_000)),
        agree(random, 15_000, 30_000),
        ...Array.from({ length: random.between(10, 16) }, ask),
      ];
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
