import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signedHeaders } from '../../playground/slack/signature.ts';
import { CHANNEL, type Stage, stage } from './stage.ts';

let at: Stage;
beforeEach(async () => {
  at = await stage();
  at.played.running = { workflowId: 'mesh/demo/backend/backend', runId: 'run-1', verb: 'canary' };
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
});
/** How often the cluster's rings are read. */
function reads(): { count: number } {
  const counted = { count: 0 };
  const { rings } = at.policy;
  at.policy.rings = (...asked) => {
    counted.count += 1;
    return rings(...asked);
  };
  return counted;
}
function told(): readonly string[] {
  return at.slack.drive
    .as('U0OPERATOR')
    .ephemerals()
    .map(({ text }) => text);
}

/** Any signed body, as Slack would send it. */
async function send(body: string, type = 'application/json'): Promise<number> {
  const headers = { 'content-type': type, ...signedHeaders(at.slack.signingSecret, body, Date.now()) };
  const { status } = await fetch(at.url, { method: 'POST', headers, body });
  await at.idle();
  return status;
}

async function mention(event: Record<string, unknown>, id = 'Ev1'): Promise<void> {
  const written = {
    type: 'app_mention',
    channel: CHANNEL,
    user: 'U0OPERATOR',
    text: '<@U0MESHOPS> abort backend',
    ts: `${Date.now() / 1000}`,
  };
  const body = { type: 'event_callback', team_id: 'T0MESHOPS', api_app_id: 'A0MESHOPS', event_id: id, event: { ...written, ...event } };
  expect(await send(JSON.stringify(body))).toBe(200);
}

test('a person is obeyed', async () => {
  await mention({});
  expect(at.played.aborts).toMatchObject([{ by: { actor: { id: 'operator@example.com' } } }]);
});

test.each([
  ['an app with a token of this person', { bot_id: 'B0OTHER' }],
  ['an app that says which it is', { app_id: 'A0OTHER' }],
  ['an app with a profile', { bot_profile: { name: 'other' } }],
  ['whoever edited it', { edited: { user: 'U0OPERATOR', ts: '1' } }],
  ['a system message', { subtype: 'thread_broadcast' }],
  ['a file message without a file', { subtype: 'file_share' }],
])('%s is not obeyed', async (_who, change) => {
  await mention(change);
  expect(at.played.aborts).toEqual([]);
});

test.each([
  ['5 minutes', 300_000],
  ['a year', 365 * 86_400_000],
  ['a minute in the future', -90_000],
])('what was written %s ago only hears that it came too late', async (_when, ms) => {
  await mention({ ts: `${(Date.now() - ms) / 1000}` });
  expect(at.played.aborts).toEqual([]);
  expect(told()).toEqual([expect.stringContaining('Your message came more than a minute late')]);
});

describe('only a text that begins with the mention is a command', () => {
  test('who quotes one starts nothing and is not answered', async () => {
    await mention({ text: 'abort backend is what <@U0MESHOPS> told me to type yesterday' });
    expect([at.played.aborts, told()]).toEqual([[], []]);
  });

  test('mentions of other people stay in the text, as names', async () => {
    await mention({ text: '<@U0MESHOPS>: canary backend 10% --reason "<@U0REVIEWER> saw <https://wiki.example/x>"' });
    expect(at.played.begins).toMatchObject([{ reason: '@Reviewer saw https://wiki.example/x' }]);
  });
});

test('what Slack makes of addresses and names in a command is read as it was typed', async () => {
  await at.slack.drive.as('U0OPERATOR').command(CHANNEL, '/mesh freeze demo 2h ask on-call@example.com, see https://wiki.example/x');
  await mention({ text: '<@U0MESHOPS> status' });
  expect(at.slack.drive.messages(CHANNEL).at(-1)?.text).not.toContain('mailto');
  const headers = 'application/x-www-form-urlencoded';
  const text = 'canary backend 10% --reason "<mailto:a@b.example|a@b.example>"';
  const fields = { command: '/mesh', team_id: 'T0MESHOPS', api_app_id: 'A0MESHOPS', channel_id: CHANNEL, user_id: 'U0OPERATOR' };
  await send(new URLSearchParams({ ...fields, text, trigger_id: '1.2.3', response_url: 'http://127.0.0.1:1/' }).toString(), headers);
  expect(at.played.begins).toMatchObject([{ reason: 'a@b.example' }]);
});

test('a read that was captured is answered once: replayed, it posts and asks nothing', async () => {
  const read = reads();
  const event = { text: '<@U0MESHOPS> policy learn backend' };
  for (let one = 0; one < 5; one += 1) await mention(event);
  expect(read.count).toBe(1);
});

test('one person who asks the cluster without end is told no instead of a promise', async () => {
  const read = reads();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => at.slack.drive.as('U0OPERATOR').command(CHANNEL, '/policy learn backend')),
  );
  await at.idle();
  const promised = answers.filter(({ shown }) => shown?.text.includes('The proposal comes in this channel'));
  const full = answers.filter(({ shown }) => shown?.text.includes('is reading for others already'));
  expect(promised.length + full.length).toBe(8);
  expect(full.length).toBeGreaterThan(0);
  expect(read.count).toBe(promised.length);
});

describe('a signed body', () => {
  const form = (payload: string): [string, string] => [new URLSearchParams({ payload }).toString(), 'application/x-www-form-urlencoded'];
  test.each<[string, string, string]>([
    ['null', 'null', 'application/json'],
    ['a number', '7', 'application/json'],
    ['a text', '"x"', 'application/json'],
    ['a list', '[]', 'application/json'],
    ['no JSON', '{', 'application/json'],
    ['nothing', '', 'application/json'],
    ['a form with null', ...form('null')],
    ['a form with a list', ...form('[1]')],
  ])('that is %s is refused at the door, and the bot goes on', async (_what, body, type) => {
    expect(await send(body, type)).toBe(400);
    await mention({});
    expect(at.played.aborts).toHaveLength(1);
  });

  test.each([
    '{}',
    '{"type":null}',
    '{"type":"event_callback","event":null}',
    '{"type":"event_callback","event":{"type":"app_mention"}}',
    '{"type":"block_actions"}',
    '{"type":"block_actions","actions":[null],"user":null}',
    '{"type":"block_actions","actions":[{"type":"button","action_id":"meshops:approve"}]}',
    '{"type":"block_actions","actions":[{"type":"button","action_id":"meshops-policy:check"}],"user":{"id":"U1"},"channel":{"id":"C0MESH"}}',
    '{"type":"view_submission","view":{"callback_id":"meshops:reject-reason"}}',
    '{"command":7,"text":{}}',
    '{"command":"/mesh"}',
  ])('with the wrong shape harms nobody: %s', async (body) => {
    await Promise.race([send(body), new Promise((resolve) => setTimeout(resolve, 500))]);
    await mention({});
    expect(at.played.aborts).toHaveLength(1);
  });
});
