import { expect, test } from 'vitest';
import type { GateRule } from '../../src/domain/gate.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { ruleBefore } from '../../workflows/agree.ts';
import { stagesOf } from '../domain/policy/stages/documents.ts';
import { request } from '../support/operations.ts';

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

test('the gate before all of it is met once', () => {
  expect(asked([rule(0)])).toEqual(['ingress, 1 pod of 4']);
});
