import { describe, expect, it } from 'vitest';
import { type Gate, type GateRule, gateRulesFor, refuseDecision } from '../../../src/domain/lifecycle/gate.ts';
import { isSamePerson } from '../../../src/domain/lifecycle/person.ts';
import { gate } from '../../messages/views.ts';

const account = (userId: string) => ({ teamId: 'T0MESHOPS', userId });

describe('one person', () => {
  it.each([
    ['ann@example.com', 'ann+2@example.com', true],
    ['Ann+x+y@Example.com', 'ann@example.com', true],
    ['a.n.n@gmail.com', 'ann@gmail.com', true],
    ['a.n.n@example.com', 'ann@example.com', false],
    ['ann@example.com', 'bob@example.com', false],
    ['ann@example.com', 'ann@example.org', false],
  ])('%s and %s: %s', (one, other, same) => {
    expect(isSamePerson({ id: one }, { id: other })).toBe(same);
  });

  it('is one account of Slack, whatever its address is now', () => {
    const [one, other] = [{ id: 'ann@example.com' }, { id: 'ann.smith@example.com' }];
    expect(isSamePerson({ ...one, slack: account('U1') }, { ...other, slack: account('U1') })).toBe(true);
    expect(isSamePerson({ ...one, slack: account('U1') }, { ...other, slack: account('U2') })).toBe(false);
    expect(isSamePerson({ ...one, slack: account('U1') }, { ...other, slack: { ...account('U1'), teamId: 'T0OTHER' } })).toBe(false);
  });

  it('approves once, under whatever address', () => {
    const open: Gate = gate({ approvals: [{ by: { id: 'reviewer@example.com', name: 'Reviewer' }, at: 1 }] });
    const decision = { opId: 'o', runId: 'r', gateId: 'g1', planHash: 'a'.repeat(16), choice: 'approve', isNamed: true } as const;
    const context = { opId: 'o', runId: 'r', now: 0, own: false };
    const as = (id: string) => refuseDecision(open, { ...decision, actor: { id, name: 'N' } }, context);
    expect(as('reviewer+2@example.com')).toBe('AlreadyDecided');
    expect(as('reviewer2@example.com')).toBeUndefined();
  });
});

it('a required rule stands beside a stricter one that its people would have met', () => {
  const rule = (usergroups: readonly string[], quorum: number, required?: true): GateRule => ({
    above: 0,
    approvers: { usergroups, emails: [] },
    quorum,
    expiryMs: 1,
    ...(required && { required }),
  });
  const quorums = (...rules: readonly GateRule[]) => gateRulesFor(rules, 0.1, 0).map(({ quorum }) => quorum);
  expect(quorums(rule(['S0A'], 2), rule(['S0A', 'S0B'], 1))).toEqual([2]);
  expect(quorums(rule(['S0A'], 2), rule(['S0A', 'S0B'], 1, true))).toEqual([2, 1]);
});
