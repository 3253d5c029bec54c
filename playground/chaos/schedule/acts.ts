import { ACTION, type ActionId } from '../../../src/domain/lifecycle/button.ts';
import type { Random } from '../random.ts';
import type { Happening, Step } from '../step.ts';
import { PEOPLE, REVIEWERS } from '../world/people.ts';

/** What people type and press, and how long passes between. */
export const COMMANDS: Readonly<Record<string, number>> = {
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
export function wait(random: Random): number {
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

export function agree(random: Random, low: number, high: number): Step {
  return {
    do: 'press',
    by: random.one(random.chance(0.85) ? REVIEWERS.slice(0, 2) : REVIEWERS).name,
    action: ACTION.approve,
    wait: random.between(low, high),
  };
}

export const say = (by: string, text: string, wait: number): Step => ({ do: 'command', by, text, wait });

export function forward(random: Random): string {
  const percent = random.one([1, 5, 5, 10, 10, 10, 50, 100]);
  const flags = random.chance(0.1) ? ' --steps 5,10' : '';
  return random.chance(0.15) ? 'promote backend' : `canary backend ${percent}%${percent > 10 ? flags : ''}`;
}

export function press(random: Random): Happening {
  const action: ActionId = ACTION[random.weighted(PRESSES as Record<keyof typeof ACTION, number>)];
  const by = random.one(PEOPLE).name;
  if (random.chance(0.25)) return { do: 'press-old', by, action, back: random.between(0, 3) };
  return { do: 'press', by, action, ...(action === ACTION.reject && { reason: 'not today' }) };
}
