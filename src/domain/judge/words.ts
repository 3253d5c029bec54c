import { number, percent, rate } from '../words/words.ts';
import { upperBound } from './bound.ts';
import type { Counts, SideCounts } from './verdict.ts';

/** Level of the bound that people are shown. */
const SHOWN_ALPHA = 0.05;

/** `23 of 210 requests failed (11%), 40 of the 210 synthetic` */
export function shareWords({ requests, failures, synthetic = 0 }: SideCounts): string {
  if (requests === 0) return 'no requests';
  const own = synthetic === 0 ? '' : `, ${number(synthetic)} of the ${number(requests)} synthetic`;
  return `${number(failures)} of ${number(requests)} requests failed${rate(failures, requests)}${own}`;
}

/** Both sides in one clause. */
export function countWords({ canary, stable }: Counts): string {
  const control = stable.requests === 0 ? 'nothing went elsewhere to compare with' : `elsewhere ${shareWords(stable)}`;
  return `Canary: ${shareWords(canary)}; ${control}`;
}

/** What the canary's share may be at most over the whole watch, for people. It says nothing of how it is just now. */
export function boundWords({ canary }: Counts): string {
  return `over the whole watch its share is below ${percent(upperBound(canary.failures, canary.requests, SHOWN_ALPHA))} (95% confidence)`;
}

/** Odds given as a natural logarithm: `44,000`, `more than a million`. */
export function oddsWords(log: number): string {
  return log > Math.log(1e6) ? 'more than a million' : number(Number(Math.exp(log).toPrecision(2)));
}
