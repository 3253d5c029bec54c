import { describe, expect, test } from 'vitest';
import type { WatchResult } from '../../src/domain/lifecycle/contract.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';
import type { OperationSettings } from '../../src/domain/lifecycle/settings.ts';
import { CarriedEvidence } from '../../workflows/evidence.ts';

const PLAN = { stages: [{ number: 1 }, { number: 2, soakMs: 60_000 }, { number: 3, soakMs: 0 }] } as unknown as Plan;
const SETTINGS = { soakMs: 120_000, afterwatchMs: 900_000 } as OperationSettings;
const result = (carried?: object) => Promise.resolve({ ...(carried && { carried }) } as unknown as WatchResult);

describe('the evidence of an operation', () => {
  test('goes from watch to watch, with what the first plan means to watch', async () => {
    const evidence = new CarriedEvidence();
    const planned = { watches: 3, ms: 1_080_000 };
    expect(evidence.next(PLAN, SETTINGS)).toEqual({ watch: 1, planned });
    await evidence.after(result({ version: 2, n: 2 }));
    // A further step plans anew, but what the operation meant to watch was said before its first request.
    const longer = { stages: [...PLAN.stages, ...PLAN.stages] } as unknown as Plan;
    expect(evidence.next(longer, SETTINGS)).toEqual({ watch: 2, planned, carried: { version: 2, n: 2 } });
    expect(evidence.alpha(0.001)).toBe(0.001);
  });

  test('of a watch that is cut off is lost, which the next one is told', async () => {
    const evidence = new CarriedEvidence();
    evidence.next(PLAN, SETTINGS);
    await evidence.after(result({ version: 2, n: 1 }));
    evidence.next(PLAN, SETTINGS);
    await expect(evidence.after(Promise.reject(new Error('no worker')))).rejects.toThrow('no worker');
    expect(evidence.next(PLAN, SETTINGS).carried).toEqual({ version: 2, n: 1, lost: true });
  });

  test('of a watch that still runs when the next begins is lost as well, whatever it says in the end', async () => {
    const evidence = new CarriedEvidence();
    evidence.next(PLAN, SETTINGS);
    const slow = evidence.after(result({ version: 2, n: 1 }));
    expect(evidence.next(PLAN, SETTINGS)).toMatchObject({ watch: 2, carried: { version: 2, lost: true } });
    await slow;
    await evidence.after(result({ version: 2, n: 2 }));
    expect(evidence.next(PLAN, SETTINGS).carried).toEqual({ version: 2, n: 2 });
  });

  test('that watches of an earlier version have not left is not spent twice', async () => {
    const evidence = new CarriedEvidence();
    evidence.next(PLAN, SETTINGS);
    expect(evidence.alpha(0.001)).toBe(0.001);
    await evidence.after(result());
    evidence.next(PLAN, SETTINGS);
    // The first had 6 / pi^2 of it.
    expect(evidence.alpha(0.001)).toBeLessThan(0.001 * (1 - 6 / Math.PI ** 2));
  });
});
