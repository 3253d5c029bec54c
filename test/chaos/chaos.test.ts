import { describe, expect, it } from 'vitest';
import { chaos } from '../../playground/chaos/chaos.ts';
import { asTest } from '../../playground/chaos/print.ts';

/** Always the same, and new ones each time; both decide. */
const FIXED = { seed: 1, runs: 500 } as const;
const FRESH_RUNS = 200;
/** A machine that is busy plays fewer in this time, and says so; to shrink what was found takes some more. */
const LONGEST_MS = { fixed: 180_000, fresh: 90_000 } as const;
const SHRINKING_MS = 240_000;

/** As `npm run chaos`, with fewer runs. A failure prints the shortest schedule as a test. */
async function brokenIn(seed: number, wanted: number, longestMs: number): Promise<string> {
  const { violations, runs } = await chaos({ seed, runs: wanted, forMs: longestMs, shrinks: true });
  if (runs < wanted) console.log(`chaos: ${runs} of ${wanted} schedules were played in ${longestMs / 1_000} s`);
  return violations.map((one) => `seed ${one.seed}: ${one.invariant}: ${one.words}\n${asTest(one.schedule, one)}`).join('\n');
}

describe('chaos', () => {
  const { seed, runs } = FIXED;
  it(`keeps every promise in ${runs} schedules that are always the same`, { timeout: LONGEST_MS.fixed + SHRINKING_MS }, async () => {
    expect(await brokenIn(seed, runs, LONGEST_MS.fixed)).toBe('');
  });

  it(`keeps every promise in ${FRESH_RUNS} schedules that are new each time`, { timeout: LONGEST_MS.fresh + SHRINKING_MS }, async () => {
    const fresh = Math.floor(Math.random() * 1e9);
    console.log(`chaos: fresh schedules from seed ${fresh}; npm run chaos -- --seed ${fresh} --runs ${FRESH_RUNS} plays them again`);
    expect(await brokenIn(fresh, FRESH_RUNS, LONGEST_MS.fresh)).toBe('');
  });
});
