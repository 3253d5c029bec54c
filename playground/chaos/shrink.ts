import type { Schedule, Step } from './step.ts';
import type { WorldOptions } from './world/settings.ts';

/**
 * The shortest schedule that still breaks the same promise, as far as taking steps away, shortening waits and making the world plainer
 * finds one (delta debugging). `breaks` plays a schedule.
 */
export async function shrink(schedule: Schedule, breaks: (schedule: Schedule) => Promise<boolean>, most = 400): Promise<Schedule> {
  let best = schedule;
  let plays = 0;
  const better = async (candidate: Schedule): Promise<boolean> => {
    if (plays >= most) return false;
    plays += 1;
    if (!(await breaks(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.steps.length; ) {
      const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + size)];
      if (!(await better({ ...best, steps }))) at += size;
    }
  }
  for (const key of Object.keys(best.world) as (keyof WorldOptions)[]) {
    const { [key]: _, ...world } = best.world;
    await better({ ...best, world });
  }
  for (const [index, step] of best.steps.entries()) {
    for (const wait of [0, 1_000, 15_000, 60_000]) {
      if (wait >= step.wait) break;
      if (await better({ ...best, steps: replaced(best.steps, index, { ...step, wait }) })) break;
    }
  }
  for (let at = best.steps.length - 1; at >= 0; at -= 1) await better({ ...best, steps: best.steps.filter((_, index) => index !== at) });
  return best;
}

function replaced(steps: readonly Step[], index: number, step: Step): readonly Step[] {
  return steps.map((one, at) => (at === index ? step : one));
}
