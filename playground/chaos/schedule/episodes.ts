import { ACTION } from '../../../src/domain/lifecycle/button.ts';
import type { Random } from '../random.ts';
import type { Happening, Step } from '../step.ts';
import { MODES, SYSTEMS } from '../world/faults.ts';
import { NODES } from '../world/mesh.ts';
import { GUEST, OPERATORS, PEOPLE, REVIEWERS } from '../world/people.ts';
import { COMMANDS, forward, press, wait } from './acts.ts';
import { completed, story } from './stories.ts';

/** Some steps that belong together, since a schedule of unrelated ones seldom gets anywhere. */
export function episode(random: Random): readonly Step[] {
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
