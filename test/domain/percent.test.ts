import { expect, test } from 'vitest';
import { formatPercent } from '../../src/domain/words/percent.ts';

test.each([
  [0, '0%'],
  [0.04, '0.04%'],
  [12.5, '12.5%'],
  [99.9, '99.9%'],
  [99.96, '99.96%'],
  [99.99999, '99.9999%'],
  [100, '100%'],
])('%s of 100 is written %s: what is not all is not called all', (percent, words) => {
  expect(formatPercent(percent)).toBe(words);
});
