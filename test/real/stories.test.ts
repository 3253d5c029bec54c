import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNotReal } from '../../playground/real/able.ts';
import { type Telling, tell } from './told.ts';

/** Stories on real, unmodified Cilium nodes. */
const STORIES = [
  'canary-healthy',
  'canary-5xx',
  'canary-drift',
  'worker-killed',
  'relay-down',
  'policy-missing-peer',
  'policy-missing-peer-observed',
  'policy-scanner',
  'policy-good',
] as const;

/** Those at whose end everything is as it was. */
const UNDONE: readonly string[] = ['canary-5xx', 'worker-killed', 'policy-missing-peer', 'policy-missing-peer-observed'];

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
    if (UNDONE.includes(name)) expect(restoredExactly).toBe(true);
  });
});
