// The one formatter: the same quantity has the same digits everywhere.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareWords } from '../../src/domain/judge/words.ts';
import { duration, rate } from '../../src/domain/words/words.ts';
import { sideWords } from '../../src/messages/ladder.ts';

const counts = fc.tuple(fc.nat(100_000), fc.nat(100_000)).map(([a, b]) => ({ failures: Math.min(a, b), requests: Math.max(a, b) }));

describe('a measured share', () => {
  it('is said of twenty and more, of which some are bad: two decimals below 1%, one below 10%, none above', () => {
    fc.assert(
      fc.property(counts, ({ failures, requests }) => {
        const words = rate(failures, requests);
        expect(words === '').toBe(failures === 0 || requests < 20);
        expect(words).not.toMatch(/NaN|\(0%|0\.00%|Infinity/);
        if (words === '') return;
        expect(words).toMatch(/^ \((below 0\.01|0\.\d{1,2}|[1-9](\.\d)?|10|[1-9]\d(\.\d{1,2})?|100)%\)$/);
        expect(words === ' (100%)').toBe(failures === requests);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [1, 1204, ' (0.08%)'],
    [4, 44, ' (9.1%)'],
    [17, 88, ' (19%)'],
    [1, 6, ''],
    [0, 5000, ''],
    [1, 1_000_000, ' (below 0.01%)'],
    [19_999, 20_000, ' (99.99%)'],
    [20, 20, ' (100%)'],
  ])('%i of %i is "%s"', (part, whole, words) => expect(rate(part, whole)).toBe(words));

  it('reads the same in a verdict and in a step', () => {
    const sides = { changed: 'canary', rest: 'stable', ofChanged: '', ofRest: '', unit: 'request', bad: 'failed' };
    fc.assert(
      fc.property(counts, (side) => {
        const inStep = /\([^)]*%\)/.exec(sideWords(side, sides))?.[0];
        expect(/\([^)]*%\)/.exec(shareWords(side))?.[0]).toBe(inStep);
      }),
    );
  });
});

it('a time is never 0 s', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (ms) => {
      expect(duration(ms)).not.toMatch(/(^|\s)0 (s|min|h)/);
      expect(duration(ms) === 'at once').toBe(ms < 100);
    }),
  );
});
