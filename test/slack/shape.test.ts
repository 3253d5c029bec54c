import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { ACTION, encodeButton, parseButton } from '../../src/domain/lifecycle/button.ts';
import { isEventOfSlack, isFormOfSlack, isUserId } from '../../src/slack/shape.ts';
import { CHANNEL, postRoot, stage } from './stage.ts';

const command = {
  command: '/mesh',
  text: 'help',
  team_id: 'T0MESHOPS',
  channel_id: CHANNEL,
  user_id: 'U0OPERATOR',
  trigger_id: 't',
  api_app_id: 'A',
};
const click = {
  type: 'block_actions',
  user: { id: 'U0OPERATOR' },
  team: { id: 'T0MESHOPS' },
  trigger_id: 't',
  channel: { id: CHANNEL },
  actions: [{ type: 'button', action_id: 'x' }],
};

function isTaken(payload: unknown): boolean {
  return isFormOfSlack(new URLSearchParams({ payload: JSON.stringify(payload) }));
}

test('what Slack sends is taken', () => {
  expect(isFormOfSlack(new URLSearchParams(command))).toBe(true);
  expect(isFormOfSlack(new URLSearchParams({ ssl_check: '1', token: 'x' }))).toBe(true);
  expect(isTaken(click)).toBe(true);
  // A workspace of an Enterprise Grid may send no team.
  expect(isTaken({ ...click, team: null, enterprise: { id: 'E1', name: 'x' } })).toBe(true);
  expect(isEventOfSlack({ type: 'url_verification', challenge: 'x', token: 'x' })).toBe(true);
  expect(isEventOfSlack({ type: 'event_callback', event: { type: 'app_mention' } })).toBe(true);
});

test.each([
  ['no user', { ...click, user: undefined }],
  ['a user that is a text', { ...click, user: 'U0OPERATOR' }],
  ['an id of nobody', { ...click, user: { id: '__proto__' } }],
  ['no actions', { ...click, actions: [] }],
  ['an action that is null', { ...click, actions: [null] }],
  ['a value that is a number', { ...click, actions: [{ type: 'button', action_id: 'x', value: 1 }] }],
  ['a submission without a view', { ...click, type: 'view_submission' }],
  ['a view whose fields are a text', { ...click, type: 'view_submission', view: { id: 'V', state: { values: 'x' } } }],
  ['a team that is a list', { ...click, team: [] }],
  ['a type that is none', { ...click, type: null }],
  ['a channel that is null', { ...click, channel: null }],
])('an interaction with %s is not', (_, payload) => expect(isTaken(payload)).toBe(false));

test('a command without an account, and an account that is no id, are refused', () => {
  expect(isFormOfSlack(new URLSearchParams({ ...command, user_id: '' }))).toBe(false);
  expect(['U0OPERATOR', 'W1', '', 'u0', '__proto__', 7, null].map(isUserId)).toEqual([true, true, false, false, false, false, false]);
});

test('the door answers 400 where the library would fall over what is not there', async () => {
  await using at = await stage();
  const body = new URLSearchParams({ payload: JSON.stringify({ ...click, user: undefined }) }).toString();
  const time = String(Math.floor(Date.now() / 1000));
  const signature = `v0=${createHmac('sha256', at.slack.signingSecret).update(`v0:${time}:${body}`).digest('hex')}`;
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': time,
    'x-slack-signature': signature,
  };
  expect((await fetch(at.url, { method: 'POST', headers, body })).status).toBe(400);
  expect(at.refused).toEqual(['NoObject']);
});

test('a button of a place that the channel may not name decides nothing there; what stops a change still does', async () => {
  await using at = await stage({ channels: [{ id: CHANNEL, cluster: 'demo', namespace: 'shop', scope: ['demo/shop'] }] });
  const root = await postRoot(at);
  for (const action of [ACTION.approve, ACTION.continue, ACTION.adopt]) {
    await at.slack.drive.as('U0REVIEWER').click(CHANNEL, root, action);
    await at.idle();
  }
  expect(at.played.decisions).toEqual([]);
  expect(at.refused).toEqual(['OutOfScope', 'OutOfScope', 'OutOfScope']);
  await at.slack.drive.as('U0REVIEWER').click(CHANNEL, root, ACTION.rollback);
  await at.idle();
  expect(at.played.decisions).toMatchObject([{ choice: 'rollback' }]);
});

test('a name of a cluster that climbs out is no button of ours', () => {
  const ids = { workflowId: 'mesh/demo/x/y', runId: 'r', opId: 'o' };
  expect(parseButton(encodeButton(ids))).toEqual(ids);
  for (const workflowId of ['mesh/../x/y', 'mesh/./x/y', 'mesh/-/x/y', 'mesh//x/y'])
    expect(parseButton(encodeButton({ ...ids, workflowId }))).toBeUndefined();
});
