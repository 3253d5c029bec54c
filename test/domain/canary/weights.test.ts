import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { climb, largestStep } from '../../../src/domain/canary/ladder.ts';
import { shareOf, shiftWeights } from '../../../src/domain/canary/weights.ts';

/** The last weight is the receiver's. */
const rule = (...weights: number[]) => weights.map((weight, index) => ({ weight, receives: index === weights.length - 1 }));
const sum = (weights: readonly number[]) => weights.reduce((total, weight) => total + weight, 0);

describe('weights', () => {
  it.each([
    [[100, 0], 10, [90, 10]],
    [[100, 0], 0.1, [999, 1]],
    [[100, 0], 100, [0, 100]],
    [[90, 10], 0, [100, 0]],
    [[1, 1], 10, [90, 10]],
    [[9, 1], 10, [9, 1]],
    [[0, 100], 25, [75, 25]],
    [[50, 50, 0], 25, [375, 375, 250]],
    [[1, 1, 1, 0], 10, [30, 30, 30, 10]],
    [[1, 1, 1, 0], 5, [317, 317, 316, 50]],
    [[80, 20, 0], 50, [40, 10, 50]],
    [[99_999, 1, 0], 10, [89_999, 1, 10_000]],
    [[1, 1, 1, 7], 0, [1, 1, 1, 0]],
  ] as const)('%j at %d% becomes %j', (weights, percent, after) => {
    expect(shiftWeights(rule(...weights), percent)).toEqual(after);
  });

  it('asks when all the others are at 0 and their proportions are unknown, and uses the earlier ones when they are known', () => {
    expect(shiftWeights(rule(0, 0, 100), 40)).toBeUndefined();
    expect(shiftWeights(rule(0, 0, 100), 40, [70, 30, 0])).toEqual([42, 18, 40]);
    expect(shiftWeights(rule(0, 0, 0), 100)).toEqual([0, 0, 100]);
  });

  it('is exact for the receiver, keeps everybody who had traffic, keeps proportions within rounding', () => {
    const weight = fc.oneof(fc.nat(100), fc.nat(1_000_000));
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 5 }), weight, fc.nat(1000), (others, own, tenths) => {
        fc.pre(sum(others) > 0);
        const after = shiftWeights(rule(...others, own), tenths / 10) ?? [];
        const total = sum(after);
        expect(after.every((each) => Number.isInteger(each) && each >= 0 && each <= 1_000_000)).toBe(true);
        const smallest = Math.min(...others.filter((each) => each > 0)) / sum(others);
        if (smallest * (1 - tenths / 1000) > 2e-6) expect((after.at(-1) ?? -1) * 1000).toBe(total * tenths);
        others.forEach((each, index) => {
          if (tenths < 1000) expect((after[index] ?? 0) > 0).toBe(each > 0);
          expect(Math.abs((after[index] ?? 0) / total - (each / sum(others)) * (1 - tenths / 1000))).toBeLessThan(0.0011);
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('tells the present share', () => {
    expect(shareOf(rule(3, 1))).toBe(25);
    expect(shareOf(rule(0, 0))).toBe(0);
  });
});

describe('the ladder', () => {
  const ladder = [1, 5, 10, 25, 50, 100];
  it.each([
    [0, 10, undefined, [10]],
    [0, 0.5, undefined, [0.5]],
    [0, 100, undefined, [1, 5, 10, 25, 50, 100]],
    [10, 50, undefined, [25, 50]],
    [0, 40, undefined, [1, 5, 10, 25, 35, 40]],
    [60, 75, undefined, [70, 75]],
    [50, 10, undefined, [10]],
    [100, 0, undefined, [0]],
    [0, 50, [5, 10, 25], [5, 10, 25, 50]],
    [10, 50, [5, 10, 25], [25, 50]],
    [100, 0, [50, 25], [50, 25, 0]],
  ])('from %d to %d with %j visits %j', (today, target, steps, visited) => {
    expect(climb(today, target, ladder, steps)).toEqual(visited);
  });

  it('knows its largest step', () => {
    expect(largestStep(ladder)).toBe(50);
    expect(largestStep([5, 10])).toBe(10);
  });
});
