/** Units in falling order, in milliseconds. `m` is minutes, as in Go and Prometheus. */
const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

/** Longest duration that anything in meshops takes: a slip of a key must not hold a change for years. */
export const LONGEST_MS = 30 * 86_400_000;

/**
 * Reads `500ms`, `30s`, `1.5s`, `2m`, `1h30m`: numbers with units, larger units first, each unit once.
 * Returns whole milliseconds, or undefined when the text is no duration, has a fraction of a millisecond or is longer than 30 days.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:\.\d{1,6})?(?:ms|[dhms]))+$/.test(text)) return undefined;
  let total = 0;
  let last = -1;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)) {
    const index = UNITS.findIndex(([name]) => name === unit);
    if (index <= last) return undefined;
    last = index;
    total += Number(amount) * (UNITS[index]?.[1] ?? Number.NaN);
  }
  // 1.1s is 1100.0000000000002 in floating point; a thousandth of a millisecond is not a fraction anybody typed.
  const rounded = Math.round(total);
  return Math.abs(total - rounded) < 1e-3 && rounded <= LONGEST_MS ? rounded : undefined;
}

/** Writes whole milliseconds so that `parseDuration` reads the same back: `90000` is `1m30s`. Negative values count as 0. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  if (rest === 0) return '0s';
  let text = '';
  for (const [unit, size] of UNITS) {
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text;
}
