import { describe, expect, it } from 'vitest';
import { type GateRule, gatesInEmergency } from '../../src/domain/lifecycle/gate.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { blind, decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const REASON = 'checkout fails for everybody, v2 fixes it';
const FREEZE = { scope: '*', reason: 'release weekend', by: { id: 'r', name: 'Reviewer' }, setAt: 0, until: Date.UTC(2030, 0, 1) };

async function begun(
  emergency: { readonly quorum: number; readonly passesFreezes?: boolean },
  { verdict = healthy, frozen = false }: { readonly verdict?: typeof healthy; readonly frozen?: boolean } = {},
) {
  const mesh = new FakeMesh();
  const told: string[] = [];
  const usual = fakes(mesh, [10], (input) => watched(mesh, input, verdict));
  const activities: Record<string, FakeActivity> = {
    ...usual,
    say: (input) => {
      told.push((input as { readonly note: { readonly kind: string } }).note.kind);
      return { value: undefined };
    },
    ...(frozen && { frozen: () => ({ value: FREEZE }) }),
  };
  const asked = request({ emergency: { reason: REASON, ...emergency }, reason: REASON, settings: settings() });
  const simulator = await Simulator.start('canary', asked, activities);
  await simulator.update('begin', asked);
  await simulator.advance(3_000);
  const view = async (): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
  return { mesh, simulator, view, told };
}

describe('an emergency', () => {
  it('begins without approval, says so to everybody before it writes, and is watched all the same', async () => {
    const { mesh, simulator, view, told } = await begun({ quorum: 0 });
    expect(await view()).toMatchObject({ phase: 'watching', emergency: { reason: REASON } });
    expect(told).toContain('emergency');
    await simulator.run();
    expect((simulator.result as Outcome).kind).toBe('completed');
    expect(mesh.percent).toBe(10);
  });

  it('still needs what the configuration leaves of each gate, and its own people give none of it', async () => {
    const { mesh, simulator, view } = await begun({ quorum: 1 });
    expect(await view()).toMatchObject({ phase: 'waiting', gate: { quorum: 1 } });
    await expect(simulator.update('decide', await decisionOn(simulator, operator, 'approve'))).rejects.toMatchObject({
      name: 'SelfApproval',
    });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.run();
    expect(mesh.percent).toBe(10);
  });

  it('is held like any change, and whoever has asked for it does not continue it', async () => {
    const { simulator, view } = await begun({ quorum: 0 }, { verdict: blind });
    await simulator.advance(120_000);
    expect(await view()).toMatchObject({ phase: 'holding', gate: { kind: 'hold', quorum: 1 } });
    await expect(simulator.update('decide', await decisionOn(simulator, operator, 'continue'))).rejects.toMatchObject({
      name: 'SelfApproval',
    });
  });

  it('is stopped by a freeze, unless the configuration says otherwise', async () => {
    const stopped = await begun({ quorum: 0 }, { frozen: true });
    await stopped.simulator.run();
    expect(stopped.simulator.result).toMatchObject({ kind: 'impossible', code: 'Frozen' });
    const passing = await begun({ quorum: 0, passesFreezes: true }, { frozen: true });
    expect(await passing.view()).toMatchObject({ phase: 'watching' });
  });
});

it('never asks for more than the gate itself', () => {
  const rule: GateRule = { above: 0, approvers: { usergroups: ['S'], emails: [] }, quorum: 2, expiryMs: 1 };
  expect(gatesInEmergency([rule], 0)).toEqual([]);
  expect(gatesInEmergency([rule, { ...rule, quorum: 1 }], 1).map(({ quorum }) => quorum)).toEqual([1, 1]);
  expect(gatesInEmergency([rule], 5).map(({ quorum }) => quorum)).toEqual([2]);
});
