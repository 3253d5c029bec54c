import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/domain/judge/verdict.ts';
import { type GateRule, gateRulesFor } from '../../src/domain/lifecycle/gate.ts';
import type { Plan } from '../../src/domain/lifecycle/plan.ts';
import { ruleBefore } from '../../workflows/agree.ts';
import { stagesOf } from '../domain/policy/stages/documents.ts';
import { blind, decisionOn, FakeMesh, fakes, healthy, request, reviewer, reviewer2, settings, watched } from '../support/operations.ts';
import { type FakeActivity, Simulator } from '../support/simulator.ts';

const rule = (above: number): GateRule => ({ above, approvers: { usergroups: [], emails: ['lead@example.com'] }, quorum: 1, expiryMs: 1 });
const { stages } = stagesOf({ observed: [] });
const plan = { stages } as unknown as Plan;

/** Stages of a rollout before which people are asked. */
function asked(gates: readonly GateRule[]): readonly string[] {
  const made = request({ settings: { ...request().settings, gates } });
  return stages.filter((stage, index) => ruleBefore(made, plan, stage, stages[index - 1]?.exposure ?? 0)).map(({ label }) => label);
}

test('each phase meets the gates of its shares: egress and layer 7 on all pods are no less than ingress on all pods', () => {
  expect(asked([rule(0.5)])).toEqual(['ingress, all pods', 'egress, all pods', 'L7, all pods']);
  expect(asked([rule(0.25)])).toEqual(['ingress, 2 pods of 4', 'egress, 2 pods of 4', 'L7, 2 pods of 4']);
});

describe('a stage that passes the shares of several rules at once', () => {
  const named = (above: number, emails: readonly string[], quorum = 1): GateRule => ({
    ...rule(above),
    approvers: { usergroups: [], emails },
    quorum,
  });
  const people = (gates: readonly GateRule[]) => gateRulesFor(gates, 1, 0).map(({ approvers, quorum }) => [approvers.emails, quorum]);

  test('needs the people of each', () => {
    expect(people([named(0, ['team@example.com']), named(0.5, ['sre@example.com'])])).toEqual([
      [['team@example.com'], 1],
      [['sre@example.com'], 1],
    ]);
    expect(people([named(0.5, ['sre@example.com']), named(0, ['a@example.com', 'b@example.com'], 2)])).toEqual([
      [['a@example.com', 'b@example.com'], 2],
      [['sre@example.com'], 1],
    ]);
  });

  test('asks nobody twice for the same: who is named by a stricter one has agreed', () => {
    const all = ['a@example.com', 'b@example.com'];
    expect(people([named(0, all), named(0.5, all, 2)])).toEqual([[all, 2]]);
    expect(people([named(0, all), named(0.5, ['a@example.com'])])).toEqual([[['a@example.com'], 1]]);
    expect(people([named(0, all), named(0.5, all)])).toEqual([[all, 1]]);
    expect(people([named(0.5, ['a@example.com']), named(0, all)])).toEqual([[['a@example.com'], 1]]);
  });

  /** 100% at once; the team agrees from 0% on, a second person above 50%. */
  const asked100 = async (verdict: Verdict) => {
    const mesh = new FakeMesh();
    const gates = [named(0, [reviewer.id]), named(0.5, [reviewer2.id])].map((each) => ({ ...each, expiryMs: 600_000 }));
    const activities: Record<string, FakeActivity> = {
      ...fakes(mesh, [100], (input) => watched(mesh, input, input.purpose === 'stage' ? verdict : healthy)),
      resolveApprovers: (input) => {
        const { emails } = (input as { readonly rule: GateRule }).rule.approvers;
        return { value: [reviewer, reviewer2].filter(({ id }) => emails.includes(id)).map(({ id, name }) => ({ id, name })) };
      },
    };
    const asked = request({ settings: settings({ gates }) });
    const simulator = await Simulator.start('canary', asked, activities);
    await simulator.update('begin', asked);
    await simulator.advance(1_000);
    return { mesh, simulator };
  };

  test('is not continued before all of them have said so', async () => {
    const { mesh, simulator } = await asked100(blind);
    for (const person of [reviewer, reviewer2]) {
      await simulator.update('decide', await decisionOn(simulator, person, 'approve'));
      await simulator.advance(1_000);
    }
    await simulator.advance(60_000);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'continue'));
    await simulator.advance(1_000);
    expect(await simulator.query('describe')).toMatchObject({
      phase: 'holding',
      gate: { kind: 'hold', approvers: [{ id: reviewer2.id }] },
    });
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'continue'));
    await simulator.advance(1_000);
    expect(await simulator.query('describe')).toMatchObject({ phase: 'afterwatch' });
    expect(mesh.percent).toBe(100);
  });

  test('does not begin before all of them have agreed', async () => {
    const { mesh, simulator } = await asked100(healthy);
    await simulator.update('decide', await decisionOn(simulator, reviewer, 'approve'));
    await simulator.advance(1_000);
    expect(mesh.percent).toBe(0);
    expect(await simulator.query('describe')).toMatchObject({ phase: 'waiting', gate: { approvers: [{ id: reviewer2.id }] } });
    await simulator.update('decide', await decisionOn(simulator, reviewer2, 'approve'));
    await simulator.advance(1_000);
    expect(mesh.percent).toBe(100);
  });
});

test('the gate before all of it is met once', () => {
  expect(asked([rule(0)])).toEqual(['ingress, 1 pod of 4']);
});
