import type { Random } from '../random.ts';
import type { ClockOptions } from '../world/clocks.ts';

/** From what is always there to what an operator has forgotten (ms). */
const AHEAD = [-300_000, -90_000, -20_000, -5_000, -1_000, 1_000, 5_000, 20_000, 90_000, 300_000] as const;

/** One clock, or each by itself, is wrong by seconds to minutes. */
export function apart(random: Random): ClockOptions {
  const ahead = (): number => random.one(AHEAD);
  switch (random.weighted({ temporal: 30, nodes: 25, bot: 15, workers: 15, all: 15 })) {
    case 'temporal':
      return { temporal: ahead() };
    case 'nodes':
      return { nodes: ahead() };
    case 'bot':
      return { bot: ahead() };
    case 'workers':
      return { workers: [ahead(), ahead()] };
    case 'all':
      return { temporal: ahead(), nodes: ahead(), bot: ahead(), workers: [ahead(), ahead()] };
  }
}
