import { expect, it } from 'vitest';
import { callsDue, callsOf } from '../../../src/domain/lifecycle/calls.ts';
import type { CallRule, GateRule } from '../../../src/domain/lifecycle/gate.ts';

function rule(calls?: CallRule): GateRule {
  return {
    above: 0,
    approvers: { usergroups: ['S0REVIEWERS'], emails: [] },
    quorum: 1,
    expiryMs: 0,
    ...(calls && { calls }),
  };
}

it.each([
  [
    'half of the time, then half of what is left',
    { escalate: 'S0LEADS' },
    600_000,
    [
      ['reminder', 300_000],
      ['escalation', 450_000],
    ],
  ],
  ['no others where none are named', undefined, 600_000, [['reminder', 300_000]]],
  ['a short question reminds nobody', { escalate: 'S0LEADS' }, 200_000, []],
  ['unless it is configured', { remindAt: 0.5 }, 16_000, [['reminder', 8_000]]],
  [
    'never where that is configured; others are called all the same',
    { remindAt: 0, escalate: 'S0LEADS' },
    600_000,
    [['escalation', 450_000]],
  ],
] as const)('people are called again: %s', (_, calls, waitMs, due) => {
  expect(callsDue(rule(calls), 0, waitMs).map(({ call, at }) => [call, at])).toEqual(due);
});

it('a rule that names nobody calls nobody', () => {
  expect(callsOf({ ...rule(), approvers: { usergroups: [], emails: [] } })).toEqual({});
  expect(callsOf(rule({ dm: true }))).toEqual({ calls: { usergroups: ['S0REVIEWERS'], emails: [], dm: true } });
});
