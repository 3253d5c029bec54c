import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNotReal } from '../../../playground/real/able.ts';
import { type Telling, tell } from './told.ts';

/** By name: whether everything is as it was at its end. */
export type Stories = Readonly<Record<string, { readonly isUndone: boolean }>>;

/** Tells stories on real, unmodified Cilium nodes: one start for all of them. */
export function onRealNodes(stories: Stories): void {
  const names = Object.keys(stories);
  describe.skipIf(whyNotReal(process.env) !== undefined)('on real Cilium nodes', () => {
    let telling: Telling;
    beforeAll(() => {
      telling = tell(names);
    });
    afterAll(() => telling?.stop());

    it.each(names)('%s', async (name) => {
      const { broken = '', ok, duplicates, restoredExactly } = await telling.report(name);
      expect({ broken, ok, duplicates }).toEqual({ broken: '', ok: true, duplicates: 0 });
      if (stories[name]?.isUndone) expect(restoredExactly).toBe(true);
    });
  });
}
