import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compare } from '../../../playground/conformance/compare.ts';
import { type Summary, summarise } from '../../../playground/conformance/summary.ts';
import { recordIn } from '../../../playground/conformance/world.ts';

const real = JSON.parse(
  gunzipSync(readFileSync(new URL('../../../playground/conformance/real.json.gz', import.meta.url))).toString(),
) as Summary;

/** Times are left to `npm run conformance`: a machine that runs other tests has times of its own. */
test('the simulated agents tell what real ones told by the same script', { timeout: 400_000 }, async () => {
  const recording = await recordIn({
    kind: 'simulated',
    preset: 'ideal',
    jitter: '0s',
    turns: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
    say: () => undefined,
  });
  expect(compare(real, summarise(recording)).filter(({ where }) => where !== 'time')).toEqual([]);
});
