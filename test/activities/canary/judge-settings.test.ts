import { describe, expect, test } from 'vitest';
import { judgeSettings } from '../../../activities/canary/judge-settings.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createJudge } from '../../../src/domain/judge/create.ts';
import type { WatchInput } from '../../../src/domain/lifecycle/contract.ts';
import type { OperationSettings } from '../../../src/domain/lifecycle/settings.ts';
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
    readonly evidence?: NonNullable<WatchInput['evidence']>;
    readonly drifted?: boolean;
    readonly unsplit?: string;
    readonly earlier?: readonly { readonly requests: number; readonly failures: number }[];
  } = {},
) {
  const { settings, exposure = 0.1, baseline, purpose = 'stage', earlier = [], evidence, drifted, unsplit } = options;
  const base = watchInput();
  const stages = earlier.map((canary, index) => ({ number: index + 1, counts: { canary, stable: canary } }));
  return judgeSettings(
    watchInput({
      purpose,
      ...(evidence && { evidence }),
      ...(drifted !== undefined && { drifted }),
      settings: { ...SETTINGS, ...settings },
      stage: { ...base.stage, number: earlier.length + 1, exposure },
      plan: {
        details: { ...DETAILS, ...(baseline && { baseline }), ...(unsplit !== undefined && { unsplit }) },
      } as unknown as WatchInput['plan'],
      view: { opId: 'canary-t1', stages } as unknown as WatchInput['view'],
    }),
    1_000,
  );
}
function judges(options: Parameters<typeof settingsOf>[0]) {
  return createJudge(settingsOf(options))
    .standing()
    .map(({ judge }) => judge);
}

describe('what a watch of a canary is held to', () => {
  test('beside a control: one sum of the objective, the control and the share of the answers', () => {
    expect(judges({})).toEqual(['all', 'objective', 'relative', 'silence']);
    expect(judges({ settings: { slo: 'relative' } })).toEqual(['all', 'objective', 'relative', 'silence']);
    expect(judges({ settings: { slo: 'absolute' } })).toEqual(['all', 'objective', 'silence']);
  });

  test('a header, or sessions that stick, choose who gets a request: nothing is compared, whatever was asked', () => {
    const unsplit = 'the header x=y';
    expect(judges({ unsplit })).toEqual(['all', 'objective']);
    expect(settingsOf({ unsplit, settings: { slo: 'relative' } })).toMatchObject({ split: false, slo: 'absolute' });
  });

  test('the evidence goes on from the watch before; after an undo it is asked anew, since both sides are', () => {
    const evidence = { watch: 3, planned: { watches: 5, ms: 900_000 } };
    expect(settingsOf({ evidence })).toMatchObject({ watch: 3, planned: evidence.planned, alpha: 0.001 });
    expect(settingsOf({ evidence, purpose: 'restored' })).not.toHaveProperty('watch');
  });

  test('a share that another hand has changed is not known, and an answer is late after the limit', () => {
    expect(settingsOf({ drifted: true })).toMatchObject({ known: false, lateMs: SETTINGS.latencyLimitMs });
  });

  test('relative at 100%: what the others did before takes the place of the control', () => {
    const settings = settingsOf({ exposure: 1, baseline: BASELINE, settings: { slo: 'relative' } });
    expect(settings.baseline).toEqual({ requests: 900, failures: 30 });
    // The bound on the earlier share has spent half.
    expect(createJudge(settings).standing()[0]).toMatchObject({ judge: 'all', needed: 2_000 });
  });

  test('after an undo no budget, and no comparison, since everybody is asked about', () => {
    expect(settingsOf({ purpose: 'restored', baseline: BASELINE, settings: { budget: 5 } })).toMatchObject({ exposure: 1 });
    expect(settingsOf({ purpose: 'restored', baseline: BASELINE, settings: { budget: 5 } })).not.toHaveProperty('budget');
    expect(settingsOf({ purpose: 'restored', baseline: BASELINE })).toMatchObject({ exposure: 1 });
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
    // Asked once for each watch, so that all of them together keep it.
    const evidence = { watch: 1, planned: { watches: 5, ms: 1 } };
    expect(settingsOf({ evidence, settings: { confidence: 0.95 } }).promotion).toMatchObject({ level: expect.closeTo(0.01) });
  });
});
