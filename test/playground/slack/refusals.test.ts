import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Alone, alone } from './slack-alone.ts';

const channel = 'C0MESH';
const plain = (text: string) => ({ type: 'plain_text', text });
const of = (text: string) => ({ type: 'mrkdwn', text });
const button = (rest: object = {}) => ({ type: 'button', action_id: 'a', text: plain('Go'), ...rest });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const section = (text: string) => ({ type: 'section', text: of(text) });
const option = { text: plain('One'), value: '1' };
const input = { type: 'input', label: plain('L'), element: { type: 'plain_text_input' } };
const long = (length: number) => 'x'.repeat(length);
const view = (rest: object = {}) => ({ type: 'modal', title: plain('T'), blocks: [section('x')], ...rest });

let slack: Alone;
beforeAll(async () => {
  slack = await alone({ perMinute: { 1: 1e6, 2: 1e6, 3: 1e6, 4: 1e6, post: 1e6, connect: 1e6 } });
});
afterAll(() => slack[Symbol.asyncDispose]());

const badBlocks: readonly (readonly [rule: string, blocks: unknown, place: string])[] = [
  ['more than 50 blocks', Array.from({ length: 51 }, () => section('x')), 'no more than 50 items allowed [json-pointer:/blocks]'],
  ['a section of 3001 characters', [section(long(3001))], 'must be less than 3001 characters [json-pointer:/blocks/0/text/text]'],
  ['a field of 2001 characters', [{ type: 'section', fields: [of(long(2001))] }], '/blocks/0/fields/0/text]'],
  ['11 fields', [{ type: 'section', fields: Array.from({ length: 11 }, () => of('x')) }], '/blocks/0/fields]'],
  ['a header of 151 characters', [{ type: 'header', text: plain(long(151)) }], '/blocks/0/text/text]'],
  ['a mrkdwn header', [{ type: 'header', text: of('x') }], 'unsupported type: mrkdwn'],
  ['26 elements', [actions(...Array.from({ length: 26 }, (_, n) => button({ action_id: `a${n}` })))], 'no more than 25 items allowed'],
  ['a button text of 76 characters', [actions(button({ text: plain(long(76)) }))], '/blocks/0/elements/0/text/text]'],
  ['a mrkdwn button text', [actions(button({ text: of('x') }))], 'unsupported type: mrkdwn'],
  ['a button value of 2001 characters', [actions(button({ value: long(2001) }))], '/elements/0/value]'],
  ['an accessibility label of 76 characters', [actions(button({ accessibility_label: long(76) }))], '/elements/0/accessibility_label]'],
  ['an unknown button style', [actions(button({ style: 'green' }))], 'must be one of: primary, danger'],
  ['a block_id of 256 characters', [{ ...section('x'), block_id: long(256) }], '/blocks/0/block_id]'],
  ['an action_id of 256 characters', [actions(button({ action_id: long(256) }))], '/elements/0/action_id]'],
  [
    'a repeated block_id',
    [
      { ...section('x'), block_id: 'b' },
      { ...section('y'), block_id: 'b' },
    ],
    'block_id "b" already exists',
  ],
  ['a repeated action_id in one block', [actions(button(), button())], 'action_id "a" already exists'],
  ['an unknown block', [{ type: 'data_visualization' }], 'unsupported type: data_visualization [json-pointer:/blocks/0/type]'],
  ['an unknown element', [actions({ type: 'slider' })], 'unsupported type: slider'],
  ['an input element among actions', [actions({ type: 'plain_text_input' })], 'unsupported type: plain_text_input'],
  ['a section without text', [{ type: 'section' }], 'missing required field: text [json-pointer:/blocks/0]'],
  ['an empty text', [section('')], 'must be more than 0 characters'],
  ['an unknown property', [{ ...section('x'), colour: 'red' }], 'invalid additional property: colour'],
  [
    '101 options',
    [actions({ type: 'static_select', options: Array.from({ length: 101 }, () => option) })],
    'no more than 100 items allowed',
  ],
  ['an overflow of 6', [actions({ type: 'overflow', options: Array.from({ length: 6 }, () => option) })], 'no more than 5 items allowed'],
  ['11 context elements', [{ type: 'context', elements: Array.from({ length: 11 }, () => of('x')) }], 'no more than 10 items allowed'],
  ['an alert in a message', [{ type: 'alert', text: plain('x') }], 'unsupported type: alert'],
  ['markdown of 12001 characters', [{ type: 'markdown', text: long(12_001) }], '/blocks/0/text]'],
  [
    'a table of 101 rows',
    [{ type: 'table', rows: Array.from({ length: 101 }, () => [{ type: 'raw_text', text: 'x' }]) }],
    'no more than 100 items',
  ],
  [
    'a table of 21 columns',
    [{ type: 'table', rows: [Array.from({ length: 21 }, () => ({ type: 'raw_text', text: 'x' }))] }],
    'no more than 20 items',
  ],
  [
    'a task of unknown state',
    [{ type: 'task_card', task_id: '1', title: 'x', status: 'done' }],
    'must be one of: pending, in_progress, complete, error',
  ],
];

test.each(badBlocks)('chat.postMessage refuses %s', async (_rule, blocks, place) => {
  const before = slack.slack.drive.messages(channel).length;
  const answer = await slack.call('chat.postMessage', { channel, text: 'x', blocks });
  expect(answer).toMatchObject({ ok: false, error: 'invalid_blocks' });
  expect(answer.response_metadata?.messages?.join(' ')).toContain(place);
  expect(slack.slack.drive.messages(channel)).toHaveLength(before);
});

const badViews: readonly (readonly [rule: string, view: unknown, place: string])[] = [
  ['more than 100 blocks', view({ blocks: Array.from({ length: 101 }, () => section('x')) }), 'no more than 100 items allowed'],
  ['a title of 25 characters', view({ title: plain(long(25)) }), '/view/title/text]'],
  ['private_metadata of 3001 characters', view({ private_metadata: long(3001) }), '/view/private_metadata]'],
  ['a callback_id of 256 characters', view({ callback_id: long(256) }), '/view/callback_id]'],
  ['inputs without submit', view({ blocks: [input] }), 'missing required field: submit'],
  ['a block that only messages have', view({ blocks: [{ type: 'markdown', text: 'x' }] }), 'unsupported type: markdown'],
  ['an unknown kind of view', { ...view(), type: 'drawer' }, 'unsupported type: drawer'],
];

test.each(badViews)('views.open refuses %s', async (_rule, bad, place) => {
  const answer = await slack.call('views.open', { trigger_id: 'x', view: bad });
  expect(answer).toMatchObject({ ok: false, error: 'invalid_arguments' });
  expect(answer.response_metadata?.messages?.join(' ')).toContain(place);
});

const badCalls: [rule: string, method: string, args: object, error: string, token?: string][] = [
  ['no token', 'auth.test', {}, 'not_authed', ''],
  ['a wrong token', 'auth.test', {}, 'invalid_auth', 'xoxb-other'],
  ["the app's token on a bot's method", 'auth.test', {}, 'not_allowed_token_type', 'xapp-1'],
  ["the bot's token for a connection", 'apps.connections.open', {}, 'not_allowed_token_type'],
  ['an unknown method', 'chat.shout', {}, 'unknown_method'],
  ['an unknown channel', 'chat.postMessage', { channel: 'C0NONE', text: 'x' }, 'channel_not_found'],
  ['an empty message', 'chat.postMessage', { channel }, 'no_text'],
  ['40,001 characters', 'chat.postMessage', { channel, text: long(40_001) }, 'msg_too_long'],
  ['blocks that are no JSON', 'chat.postMessage', { channel, text: 'x', blocks: '[' }, 'invalid_blocks_format'],
  ['metadata without a payload', 'chat.postMessage', { channel, text: 'x', metadata: { event_type: 'x' } }, 'invalid_metadata_schema'],
  ['a reply to nothing', 'chat.postMessage', { channel, text: 'x', thread_ts: '1.2' }, 'thread_not_found'],
  ['changing nothing', 'chat.update', { channel, ts: '1.2', text: 'x' }, 'message_not_found'],
  ['an ephemeral to somebody elsewhere', 'chat.postEphemeral', { channel, user: 'U0GONE', text: 'x' }, 'user_not_in_channel'],
  ['an unknown user', 'users.info', { user: 'U0NONE' }, 'user_not_found'],
  ['an unknown address', 'users.lookupByEmail', { email: 'nobody@example.com' }, 'users_not_found'],
  ['the address of a deactivated account', 'users.lookupByEmail', { email: 'deactivated@example.com' }, 'users_not_found'],
  ['an unknown group', 'usergroups.users.list', { usergroup: 'S0NONE' }, 'no_such_subteam'],
  ['an invented trigger', 'views.open', { trigger_id: 'x', view: view() }, 'invalid_trigger_id'],
  ['an unknown view', 'views.update', { view_id: 'V0NONE', view: view() }, 'not_found'],
  ['an upload that never came', 'files.completeUploadExternal', { files: [{ id: 'F0NONE' }] }, 'file_not_found'],
  [
    'two tables',
    'chat.postMessage',
    { channel, text: 'x', blocks: [1, 2].map(() => ({ type: 'table', rows: [[{ type: 'raw_text', text: 'x' }]] })) },
    'invalid_attachments',
  ],
];

test.each(badCalls)('refuses %s (%s)', async (_rule, method, args, error, token) => {
  expect(await slack.call(String(method), { ...Object(args) }, token)).toMatchObject({ ok: false, error });
});

describe('messages that are not the bot to change', () => {
  test("a person's message can be neither changed nor deleted", async () => {
    const said = slack.slack.drive.as('U0OPERATOR').say(channel, 'mine');
    expect(await slack.call('chat.update', { channel, ts: said.ts, text: 'x' })).toMatchObject({ error: 'cant_update_message' });
    expect(await slack.call('chat.delete', { channel, ts: said.ts })).toMatchObject({ error: 'cant_delete_message' });
  });

  test('a channel without the bot takes no posts', async () => {
    slack.slack.drive.putChannel({ id: 'C0OTHER', name: 'other', members: ['U0OPERATOR'] });
    expect(await slack.call('chat.postMessage', { channel: 'C0OTHER', text: 'x' })).toMatchObject({ error: 'not_in_channel' });
    expect(await slack.call('conversations.history', { channel: 'C0OTHER' })).toMatchObject({ error: 'not_in_channel' });
  });

  test('a scope that the app did not ask for is missing', async () => {
    await using narrow = await alone({}, { scopes: ['chat:write'] });
    expect(await narrow.call('users.info', { user: 'U0OPERATOR' })).toMatchObject({ error: 'missing_scope' });
    expect(await narrow.call('chat.postMessage', { channel, text: 'x' })).toMatchObject({ ok: true });
  });
});
