import { describe, expect, it } from 'vitest';
import { chaos } from '../../playground/chaos/chaos.ts';
import { OPEN } from '../../playground/chaos/open.ts';
import { asTest } from '../../playground/chaos/print.ts';

/** A machine that is busy plays fewer, and says so. */
const LONGEST_MS = 120_000;

/** As `npm run chaos`, with fewer runs. A failure prints the shortest schedule as a test. */
async function promisesKept(seed: number, wanted: number): Promise<string> {
  const { violations, runs } = await chaos({ seed, runs: wanted, without: OPEN, forMs: LONGEST_MS });
  if (runs < wanted) console.log(`chaos: this machine is busy, ${runs} of ${wanted} schedules were played`);
  return violations.map((one) => `seed ${one.seed}: ${one.invariant}: ${one.words}\n${asTest(one.schedule, one)}`).join('\n');
}

describe('chaos', () => {
  it('keeps every promise in 500 schedules that are always the same', { timeout: 300_000 }, async () => {
    expect(await promisesKept(1, 500)).toBe('');
  });

  it('keeps every promise in 200 schedules that are new each time', { timeout: 300_000 }, async () => {
    const seed = Math.floor(Math.random() * 1e9);
    console.log(`chaos: 200 schedules from seed ${seed}; npm run chaos -- --seed ${seed} --runs 200 plays them again`);
    expect(await promisesKept(seed, 200)).toBe('');
  });
});
