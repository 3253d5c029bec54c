import { expect, it } from 'vitest';
import { isKept, type LostOperation } from '../../../src/domain/lifecycle/lost.ts';
import { operator } from '../../support/operations.ts';

function lost(change: Partial<LostOperation>): LostOperation {
  return {
    opId: 'canary-k3f2',
    target: { cluster: 'demo', namespace: 'backend', name: 'backend' },
    verb: 'canary',
    change: { kind: 'shift', percent: 10 },
    text: 'canary backend 10%',
    requester: operator,
    channel: { teamId: 'T0MESHOPS', channelId: 'C0MESH' },
    startedAt: 0,
    originals: [],
    stages: [],
    ...change,
  };
}
const plan = { from: '50%', to: '10%', planHash: 'a'.repeat(64) };

it('a lost operation that only lowered stays low, as a running one that is stopped does', () => {
  expect(isKept(lost({ plan: { ...plan, lowers: true } }))).toBe(true);
  expect(isKept(lost({ plan: { ...plan, lowers: false } }))).toBe(false);
  expect(isKept(lost({ plan }))).toBe(false);
});

it('a lost way back is kept, but for one that raises', () => {
  expect(isKept(lost({ change: { kind: 'back' } }))).toBe(true);
  expect(isKept(lost({ change: { kind: 'back' }, plan: { ...plan, lowers: false, back: { of: 'canary-aaaa' } } }))).toBe(false);
});
