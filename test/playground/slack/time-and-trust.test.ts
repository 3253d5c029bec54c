import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { alone } from './slack-alone.ts';

const channel = 'C0MESH';
const plain = (text: string) => ({ type: 'plain_text', text });
const view = (title = 'T') => ({ type: 'modal', title: plain(title), blocks: [{ type: 'divider' }] });
const row = { type: 'actions', block_id: 'b', elements: [{ type: 'button', action_id: 'go', text: plain('Go'), value: '1' }] };

describe('what is handed out for a short time', () => {
  test('a trigger opens one modal within three seconds', async () => {
    await using s = await alone();
    const trigger = async (): Promise<string> => {
      await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh');
      return String(s.heard.at(-1)?.fields['trigger_id']);
    };
    const first = await trigger();
    expect(await s.call('views.open', { trigger_id: first, view: view() })).toMatchObject({ ok: true });
    expect(await s.call('views.open', { trigger_id: first, view: view() })).toMatchObject({ error: 'trigger_exchanged' });
    const late = await trigger();
    s.clock += 3_001;
    expect(await s.call('views.open', { trigger_id: late, view: view() })).toMatchObject({ error: 'trigger_expired' });
  });

  test('modals are three deep at most, and a stale hash changes nothing', async () => {
    await using s = await alone();
    const me = s.slack.drive.as('U0OPERATOR');
    const next = async (method: string): Promise<Awaited<ReturnType<typeof s.call>>> => {
      await me.command(channel, '/mesh');
      return s.call(method, { trigger_id: s.heard.at(-1)?.fields['trigger_id'], view: view() });
    };
    const opened = await next('views.open');
    await next('views.push');
    await next('views.push');
    expect(await next('views.push')).toMatchObject({ error: 'push_limit_reached' });
    const { id, hash } = opened['view'] as { id: string; hash: string };
    expect(await s.call('views.update', { view_id: id, hash, view: view('New') })).toMatchObject({ ok: true });
    expect(await s.call('views.update', { view_id: id, hash, view: view('Stale') })).toMatchObject({ error: 'hash_conflict' });
    expect(me.views()[0]?.view['title']).toMatchObject({ text: 'New' });
  });

  test('a response URL works five times in thirty minutes', async () => {
    await using s = await alone();
    const me = s.slack.drive.as('U0OPERATOR');
    const url = async (): Promise<string> => {
      await me.command(channel, '/mesh');
      return String(s.heard.at(-1)?.fields['response_url']);
    };
    const post = async (to: string, body: object) => (await fetch(to, { method: 'POST', body: JSON.stringify(body) })).status;
    const first = await url();
    const statuses: number[] = [];
    for (let turn = 0; turn < 6; turn += 1) statuses.push(await post(first, { text: `${turn}` }));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 404]);
    expect(me.ephemerals()).toHaveLength(5);
    const old = await url();
    s.clock += 30 * 60_000 + 1;
    expect(await post(old, { text: 'late' })).toBe(404);
    expect(s.slack.log.refusals().map((entry) => entry.refusal)).toEqual(['used_url', 'expired_url']);
    expect(await post(await url(), { text: 'all', response_type: 'in_channel' })).toBe(200);
    expect(s.slack.drive.messages(channel).map((message) => message.text)).toEqual(['all']);
  });

  test('a response URL replaces and deletes the message with the button, even an ephemeral one', async () => {
    await using s = await alone();
    const me = s.slack.drive.as('U0OPERATOR');
    await s.call('chat.postEphemeral', { channel, user: me.id, text: 'x', blocks: [row] });
    const only = me.ephemerals()[0]?.ts ?? '';
    await me.click(channel, only, 'go');
    expect(s.heard[0]?.fields).toMatchObject({ container: { is_ephemeral: true, message_ts: only } });
    expect(s.heard[0]?.fields['message']).toBeUndefined();
    const to = String(s.heard[0]?.fields['response_url']);
    await fetch(to, { method: 'POST', body: JSON.stringify({ replace_original: true, text: 'done' }) });
    expect(me.ephemerals()).toMatchObject([{ ts: only, text: 'done' }]);
    await fetch(to, { method: 'POST', body: JSON.stringify({ delete_original: true }) });
    expect(me.ephemerals()).toEqual([]);
  });
});

describe('rates', () => {
  test('a channel takes a short burst, then one message a second, then 429 with Retry-After', async () => {
    await using s = await alone({ postBurst: 3, postPerSecond: 1 });
    const post = () => s.call('chat.postMessage', { channel, text: 'x' });
    expect((await Promise.all([post(), post(), post(), post()])).map((answer) => answer.ok)).toEqual([true, true, true, false]);
    const raw = await fetch(`${s.slack.apiUrl}chat.postMessage`, {
      method: 'POST',
      headers: { authorization: 'Bearer xoxb-1' },
      body: new URLSearchParams({ channel, text: 'x' }),
    });
    expect([raw.status, raw.headers.get('retry-after')]).toEqual([429, '1']);
    s.clock += 1_000;
    expect(await post()).toMatchObject({ ok: true });
  });

  test('chat.update is tier 3: fifty at once, the next has to wait', async () => {
    await using s = await alone();
    const { ts } = await s.call('chat.postMessage', { channel, text: 'x' });
    const answers: boolean[] = [];
    for (let turn = 0; turn < 51; turn += 1) answers.push((await s.call('chat.update', { channel, ts, text: `${turn}` })).ok);
    expect(answers.filter(Boolean)).toHaveLength(50);
    expect(answers.at(-1)).toBe(false);
  });
});

describe('people and what they press', () => {
  test('a button that left the message is refused and never delivered', async () => {
    await using s = await alone();
    const { ts = '' } = await s.call('chat.postMessage', { channel, text: 'x', blocks: [row] });
    const me = s.slack.drive.as('U0REVIEWER');
    expect(await me.click(channel, ts, 'go')).toMatchObject({ ok: true, delivered: true });
    await s.call('chat.update', { channel, ts, text: 'no blocks any more' });
    expect(s.slack.drive.messages(channel)[0]?.blocks).toBeUndefined();
    expect(await me.click(channel, ts, 'go')).toMatchObject({ ok: false, delivered: false, error: 'not_on_message' });
    expect(s.heard).toHaveLength(1);
    expect(me.ephemerals().at(-1)?.text).toBe('This button is no longer on the message.');
  });

  test('commands do not work in threads, and unknown ones reach nobody', async () => {
    await using s = await alone();
    const me = s.slack.drive.as('U0OPERATOR');
    const root = me.say(channel, 'root');
    expect(await me.command(channel, '/mesh status', { threadTs: root.ts })).toMatchObject({
      delivered: false,
      error: 'not_supported_in_threads',
    });
    expect(await me.command(channel, '/other')).toMatchObject({ delivered: false, error: 'unknown_command' });
    expect(s.heard).toEqual([]);
  });

  test('a deactivated account does nothing, unless a stale session is wanted', async () => {
    await using s = await alone();
    expect(await s.slack.drive.as('U0GONE').command(channel, '/mesh')).toMatchObject({ delivered: false, error: 'account_inactive' });
    expect(await s.slack.drive.as('U0GONE', { staleSession: true }).command(channel, '/mesh')).toMatchObject({ delivered: true });
    const user = async (id: string) => (await s.call('users.info', { user: id }))['user'];
    expect(await user('U0GONE')).toMatchObject({ deleted: true });
    expect(await user('U0GUEST')).toMatchObject({ is_restricted: true, team_id: 'T0MESHOPS' });
    expect(await user('U0OUTSIDE')).toMatchObject({ is_stranger: true, team_id: 'T0OUTSIDE' });
    expect(await user('U0MESHOPS')).toMatchObject({ is_bot: true });
    expect(await user('U0OPERATOR')).toMatchObject({ is_restricted: false, profile: { email: 'operator@example.com' } });
  });

  test.each([
    [true, '&lt;!channel&gt; &amp; <@U0REVIEWER|reviewer> <#C0MESH|mesh> <!subteam^S0REVIEWERS|@mesh-reviewers> @nobody'],
    [false, '<!channel> & @reviewer #mesh @mesh-reviewers @nobody'],
  ])('with should_escape %s the text arrives so', async (shouldEscape, text) => {
    await using s = await alone({}, { shouldEscape });
    await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh <!channel> & @reviewer #mesh @mesh-reviewers @nobody');
    expect(s.heard[0]?.fields['text']).toBe(text);
  });
});

describe('delivery', () => {
  test('requests are signed, and a replay is the same request to the byte', async () => {
    await using s = await alone();
    await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh status');
    await s.slack.drive.replay(s.slack.drive.lastRequest(), 2);
    const [first, ...again] = s.heard;
    const base = `v0:${String(first?.headers['x-slack-request-timestamp'])}:${first?.body}`;
    expect(first?.headers['x-slack-signature']).toBe(`v0=${createHmac('sha256', 'secret').update(base).digest('hex')}`);
    expect(again).toHaveLength(2);
    for (const copy of again)
      expect([copy.body, copy.headers['x-slack-signature']]).toEqual([first?.body, first?.headers['x-slack-signature']]);
  });

  test('without an acknowledgement in time the person sees operation_timeout', async () => {
    await using s = await alone({ ackMs: 60 });
    s.reply = () => undefined;
    const me = s.slack.drive.as('U0OPERATOR');
    expect(await me.command(channel, '/mesh')).toMatchObject({ ok: false, error: 'operation_timeout' });
    expect(me.ephemerals()).toMatchObject([{ user: 'USLACKBOT', text: '/mesh failed with the error "operation_timeout"' }]);
  });

  test('an error of the app, and nobody there, are both dispatch_failed', async () => {
    await using s = await alone();
    s.reply = () => ({ status: 500 });
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ error: 'dispatch_failed' });
    s.slack.setRequestUrl('http://127.0.0.1:9/');
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ error: 'dispatch_failed' });
  });

  test('an event that failed comes again, marked as a retry', async () => {
    await using s = await alone({ eventRetryMs: [0, 5] });
    s.reply = () => ({ status: s.heard.length < 3 ? 500 : 200 });
    s.slack.drive.as('U0OPERATOR').say(channel, '@meshops hello');
    await s.slack.drive.waitFor(() => s.heard.length === 3);
    expect(s.heard.map((one) => one.headers['x-slack-retry-num'])).toEqual([undefined, '1', '2']);
    expect(new Set(s.heard.map((one) => one.fields['event_id'])).size).toBe(1);
  });

  test('the request URL proves itself by the challenge', async () => {
    await using s = await alone();
    s.reply = (heard) => ({ status: 200, body: { challenge: heard.fields['challenge'] } });
    expect(await s.slack.verifyRequestUrl()).toBe(true);
    s.reply = () => ({ status: 200 });
    expect(await s.slack.verifyRequestUrl()).toBe(false);
  });

  test('an acknowledgement with blocks Slack refuses is an error for the person', async () => {
    await using s = await alone();
    s.reply = () => ({ status: 200, body: { text: 'x', blocks: [{ type: 'nonsense' }] } });
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ ok: false, error: 'invalid_blocks' });
  });
});
