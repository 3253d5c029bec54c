/** Shares that people type and read, in percent with a resolution of 0.1. */

export type PercentProblem = 'not-a-percent' | 'too-fine' | 'out-of-range' | 'share-or-percent' | 'comma';

/**
 * Reads `10%`, `0.1%`, `100`: 0..100 in steps of 0.1. Without the sign whole numbers and decimals above 1 are clear; `0.1` is not
 * (a tenth of a percent, or ten?), so it is a problem instead of a guess.
 */
export function parsePercent(text: string): number | PercentProblem {
  if (/^\d+,\d+%?$/.test(text)) return 'comma';
  const match = /^(\d{1,9})(?:\.(\d{1,9}))?(%?)$/.exec(text);
  if (!match) return /^[-+]\d+(?:\.\d+)?%?$/.test(text) ? 'out-of-range' : 'not-a-percent';
  const [, whole = '', fraction = '', sign = ''] = match;
  const decimals = fraction.replace(/0+$/, '');
  const tenths = Number(whole) * 10 + Number((decimals + '0').slice(0, 1));
  if (sign === '' && fraction !== '' && Number(`${whole}.${fraction}`) <= 1) return 'share-or-percent';
  if (Number(whole) > 100 || Number(`${whole}.${fraction || 0}`) > 100) return 'out-of-range';
  if (decimals.length > 1) return 'too-fine';
  return tenths / 10;
}

/** `12.5%`, `0.54%`; one decimal, or two digits of less than one. What is not all is not written as all. */
export function formatPercent(percent: number): string {
  const rounded = Number(percent < 1 ? percent.toPrecision(2) : percent.toFixed(1));
  return rounded === 100 && percent < 100 ? `${Math.min(99.9999, Number(percent.toFixed(4)))}%` : `${rounded}%`;
}
