import { WebClient } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import type { SlackPlayground } from '../../../playground/slack/slack.ts';
import { stage } from './bolt-app.ts';
import { alone } from './slack-alone.ts';

const channel = 'C0MESH';

function client(slack: SlackPlayground): WebClient {
  return new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true });
}

/** A second Socket Mode connection by hand, which acknowledges and notes what it hears. */
async function connect(slack: SlackPlayground, heard: string[]): Promise<WebSocket> {
  const answer = await new WebClient(slack.appToken, { slackApiUrl: slack.apiUrl }).apps.connections.open({});
  const socket = new WebSocket(String(answer.url));
  socket.addEventListener('message', (news) => {
    const said = JSON.parse(String(news.data)) as { envelope_id?: string; payload?: { text: string } };
    if (!said.envelope_id) return;
    heard.push(said.payload?.text ?? '');
    socket.send(JSON.stringify({ envelope_id: said.envelope_id }));
  });
  await slack.drive.waitFor(() => slack.connections() === 2);
  return socket;
}

describe('faults', () => {
  test('a connection cut after the post leaves the post in the channel', async () => {
    await using s = await alone();
    s.slack.faults.dropAfterPost();
    await expect(client(s.slack).chat.postMessage({ channel, text: 'once' })).rejects.toThrow();
    expect(s.slack.drive.messages(channel).map((message) => message.text)).toEqual(['once']);
    await client(s.slack).chat.postMessage({ channel, text: 'once' });
    expect(s.slack.log.duplicatePosts()).toHaveLength(1);
    expect(s.slack.log.slackCalls('chat.postMessage')).toBe(2);
  });

  test('a storm of 429 hits the methods it names', async () => {
    await using s = await alone();
    s.slack.faults.rateLimited(7, ['chat.update']);
    await expect(client(s.slack).chat.update({ channel, ts: '1', text: 'x' })).rejects.toMatchObject({ retryAfter: 7 });
    expect(await s.call('auth.test')).toMatchObject({ ok: true });
    s.slack.faults.rateLimited(false);
    expect(await s.call('chat.update', { channel, ts: '1', text: 'x' })).toMatchObject({ error: 'message_not_found' });
  });

  test('Slack goes down and comes back at the same address; people notice too', async () => {
    await using s = await alone();
    await s.slack.faults.down('refuse');
    await expect(s.call('auth.test')).rejects.toThrow('fetch failed');
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ delivered: false, error: 'slack_down' });
    await s.slack.faults.down('500');
    expect((await fetch(`${s.slack.apiUrl}auth.test`, { method: 'POST' })).status).toBe(500);
    await s.slack.faults.clear();
    expect(await s.call('auth.test')).toMatchObject({ ok: true, user_id: 'U0MESHOPS' });
  });

  test('a workspace that does not know plan blocks refuses them, and only them', async () => {
    await using s = await alone();
    const plan = { type: 'plan', title: 'Stages', tasks: [{ type: 'task_card', task_id: '1', title: 'x', status: 'pending' }] };
    expect(await s.call('chat.postMessage', { channel, text: 'x', blocks: [plan] })).toMatchObject({ ok: true });
    s.slack.faults.unknownBlocks(['plan']);
    expect(await s.call('chat.postMessage', { channel, text: 'x', blocks: [plan] })).toMatchObject({ error: 'invalid_blocks' });
    expect(await s.call('chat.postMessage', { channel, text: 'x', blocks: [{ type: 'divider' }] })).toMatchObject({ ok: true });
  });

  test('a lost delivery is an error for the person, and the next arrives', async () => {
    await using s = await alone();
    s.slack.faults.loseDeliveries(1);
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ error: 'dispatch_failed' });
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ ok: true });
    expect(s.heard).toHaveLength(1);
  });
});

describe('Socket Mode', () => {
  test('each envelope goes to one of two connections, and a closed one is not used', async () => {
    const heard: string[] = [];
    await using s = await stage({
      mode: 'socket',
      listen: (app) =>
        app.command('/mesh', async ({ ack, command }) => {
          heard.push(command.text);
          await ack();
        }),
    });
    const other: string[] = [];
    const second = await connect(s.slack, other);
    const me = s.slack.drive.as('U0OPERATOR');
    for (const text of ['1', '2', '3', '4']) expect(await me.command(channel, `/mesh ${text}`)).toMatchObject({ ok: true });
    expect([heard.length, other.length]).toEqual([2, 2]);
    expect([...heard, ...other].toSorted()).toEqual(['1', '2', '3', '4']);
    second.close();
    await s.slack.drive.waitFor(() => s.slack.connections() === 1);
    expect(await me.command(channel, '/mesh 5')).toMatchObject({ ok: true });
  });

  test('nobody connected, or nobody answering, is an error within the time', async () => {
    await using s = await stage({ mode: 'socket', limits: { ackMs: 60 } });
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/forgotten')).toMatchObject({ error: 'operation_timeout' });
    await s.app.stop();
    await s.slack.drive.waitFor(() => s.slack.connections() === 0);
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ error: 'dispatch_failed' });
  });

  test('an app told to refresh reconnects by itself', async () => {
    await using s = await stage({ mode: 'socket', listen: (app) => app.command('/mesh', async ({ ack }) => ack('here')) });
    s.slack.disconnectSockets('refresh_requested');
    await s.slack.drive.waitFor(() => s.slack.log.slackCalls('apps.connections.open') === 2 && s.slack.connections() === 1);
    expect(await s.slack.drive.as('U0OPERATOR').command(channel, '/mesh')).toMatchObject({ ok: true, shown: { text: 'here' } });
  });
});
