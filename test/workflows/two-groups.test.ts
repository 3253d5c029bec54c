import { describe, expect, it } from 'vitest';
import type { GateRule } from '../../src/domain/lifecycle/gate.ts';
import type { OperationView, Outcome } from '../../src/domain/lifecycle/operation.ts';
import { decisionOn, FakeMesh, fakes, healthy, operator, request, reviewer, reviewer2, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const GROUPS: Readonly<Record<string, readonly { readonly id: string; readonly name: string }[]>> = {
  S0PLATFORM: [reviewer],
  S0SECURITY: [reviewer, reviewer2],
};

/** Two rules stand before the first stage; the reviewer is in both groups. */
async function waiting(change: Partial<GateRule> = {}) {
  const mesh = new FakeMesh();
  const gates = ['S0PLATFORM', 'S0SECURITY'].map(
    (group): GateRule => ({
      above: 0,
      approvers: { usergroups: [group], emails: [] },
      quorum: 1,
      expiryMs: 3_600_000,
      required: true,
      ...change,
    }),
  );
  const activities: Record<string, FakeActivity> = {
    ...fakes(mesh, [10], (input) => watched(mesh, input, healthy)),
    resolveApprovers: (input) => {
      const { rule } = input as { readonly rule: GateRule };
      return { value: rule.approvers.usergroups.flatMap((group) => GROUPS[group] ?? []) };
    },
  };
  const asked = request({ settings: settings({ gates }) });
  const simulator = await Simulator.start('canary', asked, activities);
  await simulator.update('begin', asked);
  await simulator.advance(1_000);
  const view = async (): Promise<OperationView> => (await simulator.query('describe')) as OperationView;
  return { mesh, simulator, view };
}

describe('two groups that must agree', () => {
  it('are asked one after the other; somebody of both counts for one', async () => {
    const { mesh, simulator, view } = await waiting();
    expect((await view()).gate).toMatchObject({ calls: { usergroups: ['S0PLATFORM'] } });
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    expect((await view()).gate).toMatchObject({ calls: { usergroups: ['S0SECURITY'] } });
    await expect(simulator.update('decide', await decisionOn(simulator, reviewer, 'approve', { isNamed: true }))).rejects.toMatchObject({
      name: 'CountsOnce',
    });
    expect(mesh.percent).toBe(0);
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'approve'));
    await simulator.run();
    expect((simulator.result as Outcome).kind).toBe('completed');
    expect(mesh.percent).toBe(10);
  });

  it('may be the same person where the rule says so', async () => {
    const { mesh, simulator } = await waiting({ samePerson: true });
    for (let group = 0; group < 2; group += 1) {
      await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
      await simulator.advance(1_000);
    }
    await simulator.run();
    expect(mesh.percent).toBe(10);
  });

  it('are none of them the requester, under whatever address', async () => {
    const { simulator } = await waiting();
    const other = { ...operator, id: operator.id.replace('@', '+2@') };
    const own = await decisionOn(simulator, other, 'approve', { isNamed: true });
    await expect(simulator.update('decide', own)).rejects.toMatchObject({ name: 'SelfApproval' });
  });
});
