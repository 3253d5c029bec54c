import { expect, test } from 'vitest';
import { createMayStill } from '../../src/compose/still.ts';
import type { Identified } from '../../src/slack/people.ts';
import { refusal } from '../../src/slack/refusals.ts';
import { config } from '../slack/stage.ts';
import { operator } from '../support/operations.ts';

const CHANNEL = { id: 'C0MESH', cluster: 'demo', namespace: 'backend' };
const target = { cluster: 'demo', namespace: 'backend', name: 'backend' };

function ask(change: Record<string, unknown> = {}, identified: Identified = { kind: 'person', actor: operator }) {
  return createMayStill(() => config(change), { identify: async () => identified })({ target, requester: operator, channelId: 'C0MESH' });
}

test('who has asked may still, as long as nothing has changed', async () => {
  expect(await ask()).toEqual({});
  const more = { ...operator, kubernetes: { user: 'operator@example.com', groups: ['mesh-operators', 'more'] } };
  expect(await ask({}, { kind: 'person', actor: more })).toEqual({});
});

test.each([
  ['the channel is not set up any more', { channels: [{ ...CHANNEL, id: 'C0OTHER' }] }, undefined, /no longer set up/],
  [
    'the channel may name another namespace only',
    { channels: [{ ...CHANNEL, scope: ['demo/shop'] }] },
    undefined,
    /no longer name demo\/backend/,
  ],
  ['the account is gone', {}, refusal('Deactivated'), /Operator: This Slack account is deactivated/],
  [
    'it is out of a group',
    {},
    { kind: 'person', actor: { ...operator, kubernetes: { user: 'operator@example.com', groups: [] } } },
    /no longer in mesh-operators/,
  ],
  [
    'it is somebody else in the cluster',
    {},
    { kind: 'person', actor: { ...operator, kubernetes: { user: 'x', groups: ['mesh-operators'] } } },
    /somebody else/,
  ],
  ['nobody is named for it', {}, { kind: 'person', actor: { id: operator.id, name: 'Operator' } }, /somebody else/],
] as const)('not when %s', async (_, change, identified, why) => {
  expect((await ask(change, identified)).refused).toMatch(why);
});

test('where Slack does not say, nobody knows', async () => {
  expect(await ask({}, refusal('SlackSilent'))).toEqual({ silent: true });
});
