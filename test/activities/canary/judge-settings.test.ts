import { describe, expect, test } from 'vitest';
import { judgeSettings } from '../../../activities/canary/judge-settings.ts';
import type { WatchInput } from '../../../activities/contract.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { OperationSettings } from '../../../src/domain/settings.ts';
import { SETTINGS } from '../support/canary.ts';
import { watchInput } from '../support/watching.ts';

const DETAILS = { namespace: 'backend', receiver: 'backend-canary', others: ['backend'], traffic: ['gateway'], routes: [], elsewhere: [] };
const BASELINE = { requests: 900, failures: 30, drops: 2, ms: 60_000 };

function settingsOf(
  options: {
    readonly settings?: Partial<OperationSettings>;
    readonly exposure?: number;
    readonly baseline?: JsonObject;
    readonly purpose?: WatchInput['purpose'];
    readonly earlier?: readonly { readonly requests: number; readonly failures: number }[];
  } = {},
) {
  const { settings, exposure = 0.1, baseline, purpose = 'stage', earlier = [] } = options;
  const base = watchInput();
  const stages = earlier.map((canary, index) => ({ number: index + 1, counts: { canary, stable: canary } }));
  return judgeSettings(
    watchInput({
      purpose,
      settings: { ...SETTINGS, ...settings },
      stage: { ...base.stage, number: earlier.length + 1, exposure },
      plan: { details: { ...DETAILS, ...(baseline && { baseline }) } } as unknown as WatchInput['plan'],
      view: { opId: 'canary-t1', stages } as unknown as WatchInput['view'],
    }),
    1_000,
  );
}
const judges = (options: Parameters<typeof settingsOf>[0]) =>
  createJudge(settingsOf(options))
    .standing()
    .map(({ judge }) => judge);

describe('what a watch of a canary is held to', () => {
  test('beside a control: the objective, the control, and drops', () => {
    expect(judges({})).toEqual(['objective', 'relative', 'drops']);
    expect(judges({ settings: { slo: 'relative' } })).toEqual(['relative', 'drops']);
    expect(judges({ settings: { slo: 'absolute' } })).toEqual(['objective', 'drops']);
  });

  test('at 100%: drops only where it is known how many there were before', () => {
    expect(judges({ exposure: 1 })).toEqual(['objective']);
    expect(judges({ exposure: 1, baseline: BASELINE })).toEqual(['objective', 'drops']);
    expect(settingsOf({ exposure: 1, baseline: BASELINE }).drops).toEqual({ before: { groups: 2, ms: 60_000 } });
  });

  test('relative at 100%: what the others did before takes the place of the control', () => {
    const settings = settingsOf({ exposure: 1, baseline: BASELINE, settings: { slo: 'relative' } });
    expect(settings.baseline).toEqual({ requests: 900, failures: 30 });
    expect(createJudge(settings).standing()[0]).toMatchObject({ judge: 'objective' });
  });

  test('after an undo neither budget nor drops, since everybody is asked about', () => {
    expect(settingsOf({ purpose: 'restored', baseline: BASELINE, settings: { budget: 5 } })).toMatchObject({ exposure: 1 });
    expect(settingsOf({ purpose: 'restored', baseline: BASELINE, settings: { budget: 5 } })).not.toHaveProperty('budget');
    expect(judges({ purpose: 'restored', baseline: BASELINE })).toEqual(['objective']);
  });

  test('the budget is that of the whole operation: earlier stages have used some of it, better ones give nothing back', () => {
    const earlier = [
      { requests: 100, failures: 5 },
      { requests: 1_000, failures: 0 },
    ];
    expect(settingsOf({ settings: { budget: 10 }, earlier }).budget).toBeCloseTo(6);
  });

  test('a wished confidence is asked of each stage', () => {
    expect(settingsOf({ settings: { confidence: 0.95 } }).promotion).toMatchObject({ kind: 'confidence', level: expect.closeTo(0.05) });
    expect(settingsOf({}).promotion).toBeUndefined();
  });
});
