import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNotReal } from '../../playground/real/able.ts';
import { type Telling, tell } from './told.ts';

/** Stories on real, unmodified Cilium nodes. */
const STORIES = ['policy-good', 'policy-missing-peer'] as const;

const why = whyNotReal(process.env);

describe.skipIf(why !== undefined)('on real Cilium nodes', () => {
  let telling: Telling;
  beforeAll(() => {
    telling = tell(STORIES);
  });
  afterAll(() => telling?.stop());

  it.each(STORIES)('%s', async (name) => {
    const { broken = '', ok, duplicates, restoredExactly } = await telling.report(name);
    expect({ broken, ok, duplicates }).toEqual({ broken: '', ok: true, duplicates: 0 });
    if (name !== 'policy-good') expect(restoredExactly).toBe(true);
  });
});
