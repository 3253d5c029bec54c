import type { App } from '@slack/bolt';
import { describe, expect, test } from 'vitest';
import { stage } from './bolt-app.ts';

const channel = 'C0MESH';
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

function buttons(label: string) {
  return [
    { type: 'section', text: { type: 'mrkdwn', text: label } },
    {
      type: 'actions',
      elements: [
        { type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, value: 'op-1', style: 'primary' },
        { type: 'button', action_id: 'reject', text: { type: 'plain_text', text: 'Reject' }, value: 'op-1', style: 'danger' },
      ],
    },
  ];
}

const modal = {
  type: 'modal' as const,
  callback_id: 'reason',
  title: { type: 'plain_text' as const, text: 'Reject' },
  submit: { type: 'plain_text' as const, text: 'Reject' },
  notify_on_close: true,
  blocks: [
    {
      type: 'input' as const,
      block_id: 'why',
      label: { type: 'plain_text' as const, text: 'Reason' },
      element: { type: 'plain_text_input' as const, action_id: 'text' },
    },
  ],
};

/** A small product: announces in the channel, approves by button, rejects by modal. */
function listen(app: App): void {
  app.command('/mesh', async ({ ack, command, client }) => {
    await ack(`Started ${command.text}`);
    await client.chat.postMessage({
      channel: command.channel_id,
      text: 'canary',
      blocks: buttons('*canary*'),
      metadata: { event_type: 'op', event_payload: { op_id: 'op-1' } },
    });
  });
  app.action('approve', async ({ ack, body, client, respond }) => {
    await ack();
    if (body.type !== 'block_actions' || !body.message || !body.channel) return;
    await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: `approved by <@${body.user.id}>` });
    await respond({ text: 'Noted.', response_type: 'ephemeral' });
    const upload = {
      channel_id: body.channel.id,
      thread_ts: body.message.ts,
      file: png,
      filename: 'chart.png',
      title: 'Chart',
      initial_comment: 'Numbers',
    };
    await client.files.uploadV2(upload);
  });
  app.action('reject', async ({ ack, body, client }) => {
    await ack();
    if (body.type === 'block_actions') await client.views.open({ trigger_id: body.trigger_id, view: modal });
  });
  app.view('reason', async ({ ack, view, client, body }) => {
    const reason = view.state.values['why']?.['text']?.value ?? '';
    if (reason === 'no') return ack({ response_action: 'errors', errors: { why: 'Say more.' } });
    await ack();
    await client.chat.postEphemeral({ channel, user: body.user.id, text: `Rejected: ${reason}` });
  });
  app.event('app_mention', async ({ event, client }) => {
    await client.chat.postMessage({ channel: event.channel, text: `heard ${event.text}`, thread_ts: event.thread_ts ?? event.ts });
  });
  app.shortcut('use_policy', async ({ ack, shortcut, client }) => {
    await ack();
    if (shortcut.type === 'message_action') await client.reactions.add({ channel, timestamp: shortcut.message_ts, name: 'eyes' });
  });
}

describe.each(['http', 'socket'] as const)('an unmodified Bolt app over %s', (mode) => {
  test('answers a command, posts buttons, and replaces them on a click', async () => {
    await using s = await stage({ mode, listen });
    const { drive } = s.slack;
    const outcome = await drive.as('U0OPERATOR').command(channel, '/mesh canary backend 10%');
    expect(outcome).toMatchObject({ ok: true, shown: { text: 'Started canary backend 10%', onlyFor: 'U0OPERATOR' } });
    const posted = await drive.waitFor((d) => d.messages(channel).find((message) => message.text === 'canary'));
    expect(await drive.as('U0REVIEWER').click(channel, posted.ts, 'approve')).toMatchObject({ ok: true });
    const updated = await drive.waitFor((d) => d.messages(channel).find((message) => message.text === 'approved by <@U0REVIEWER>'));
    expect(updated).toMatchObject({ ts: posted.ts, metadata: { event_payload: { op_id: 'op-1' } } });
    expect(updated.blocks).toBeUndefined();
    await drive.waitFor((d) =>
      d
        .as('U0REVIEWER')
        .ephemerals()
        .find((message) => message.text === 'Noted.'),
    );
    const chart = await drive.waitFor((d) => d.thread(channel, posted.ts).find((message) => message.files?.length));
    expect(chart.files?.[0]).toMatchObject({ name: 'chart.png', mimetype: 'image/png', size: png.length });
    expect(drive.as('U0OPERATOR').ephemerals()).toHaveLength(1);
  });

  test('opens a modal, shows its errors, and takes the second answer', async () => {
    await using s = await stage({ mode, listen });
    const { drive } = s.slack;
    await drive.as('U0OPERATOR').command(channel, '/mesh x');
    const posted = await drive.waitFor((d) => d.messages(channel)[0]);
    const reviewer = drive.as('U0REVIEWER');
    await reviewer.click(channel, posted.ts, 'reject');
    const view = await drive.waitFor(() => reviewer.views()[0]);
    expect(await reviewer.submitModal(view.id, { why: '' })).toMatchObject({
      delivered: false,
      errors: { why: 'Please complete this required field.' },
    });
    expect(await reviewer.submitModal(view.id, { why: 'no' })).toMatchObject({ ok: false, errors: { why: 'Say more.' } });
    expect(reviewer.views()).toHaveLength(1);
    expect(await reviewer.submitModal(view.id, { why: 'too soon' })).toMatchObject({ ok: true });
    expect(reviewer.views()).toHaveLength(0);
    const said = await drive.waitFor(() => reviewer.ephemerals().find((message) => message.text === 'Rejected: too soon'));
    const history = await s.app.client.conversations.history({ channel });
    expect(history.messages?.map((message) => message.ts)).toEqual([posted.ts]);
    await expect(s.app.client.chat.update({ channel, ts: said.ts, text: 'x' })).rejects.toThrow('message_not_found');
  });

  test('hears mentions with files, and message shortcuts', async () => {
    await using s = await stage({ mode, listen });
    const { drive } = s.slack;
    const said = drive.as('U0OPERATOR').say(channel, '@meshops use this', { files: [{ name: 'p.yaml', data: Buffer.from('a: 1') }] });
    await drive.waitFor((d) => d.thread(channel, said.ts).find((message) => message.text === 'heard <@U0MESHOPS> use this'));
    await drive.as('U0OPERATOR').shortcut(channel, said.ts, 'use_policy');
    const reacted = await drive.waitFor((d) => d.messages(channel).find((message) => message.reactions?.length));
    expect(reacted.reactions).toEqual([{ name: 'eyes', users: ['U0MESHOPS'] }]);
    const url = String(said.files?.[0]?.['url_private_download']);
    expect((await fetch(url)).status).toBe(403);
    expect(await (await fetch(url, { headers: { authorization: 'Bearer xoxb-playground' } })).text()).toBe('a: 1');
  });
});
