import type { App } from '@slack/bolt';
import { describe, expect, test } from 'vitest';
import { stage } from './bolt-app.ts';

const channel = 'C0MESH';
const plain = (text: string) => ({ type: 'plain_text' as const, text });
const options = ['2m', '5m'].map((value) => ({ text: plain(value), value }));
const soak = { type: 'static_select' as const, action_id: 'soak', options, placeholder: plain('Soak') };
const more = { type: 'overflow' as const, action_id: 'more', options };
const services = { type: 'external_select' as const, action_id: 'service', min_query_length: 0 };

interface Heard {
  readonly kind: string;
  readonly detail: unknown;
}

function listen(heard: Heard[]): (app: App) => void {
  return (app) => {
    app.command('/mesh', async ({ ack, client, command }) => {
      await ack();
      await client.views.open({
        trigger_id: command.trigger_id,
        view: {
          type: 'modal',
          callback_id: 'start',
          notify_on_close: true,
          title: plain('Start'),
          submit: plain('Start'),
          blocks: [
            { type: 'input', block_id: 'service', label: plain('Service'), element: services },
            { type: 'actions', block_id: 'row', elements: [{ type: 'button', action_id: 'fill', text: plain('Fill in') }] },
          ],
        },
      });
    });
    app.options('service', async ({ ack, options: asked }) => {
      await ack({ options: [{ text: plain(`${asked.value}end`), value: `${asked.value}end` }] });
    });
    app.action('fill', async ({ ack, body, client }) => {
      await ack();
      if (body.type !== 'block_actions' || !body.view) return;
      const note = { type: 'section' as const, block_id: 'note', text: plain('Filled in.') };
      const view = { type: 'modal' as const, title: plain('Start'), blocks: [note] };
      await client.views.update({ view_id: body.view.id, hash: body.view.hash, view });
    });
    for (const action of ['soak', 'more']) {
      app.action(action, async ({ ack, action: chosen, body }) => {
        await ack();
        heard.push({ kind: action, detail: [chosen, body.type === 'block_actions' ? body.state?.values : undefined] });
      });
    }
    app.view('start', async ({ ack, view }) => {
      heard.push({ kind: 'submitted', detail: view.state.values['service']?.['service'] });
      await ack({ response_action: 'clear' });
    });
    app.view({ callback_id: 'start', type: 'view_closed' }, async ({ ack }) => {
      heard.push({ kind: 'closed', detail: undefined });
      await ack();
    });
  };
}

describe.each(['http', 'socket'] as const)('choices over %s', (mode) => {
  test('menus on a message carry what was chosen, and only what was offered', async () => {
    const heard: Heard[] = [];
    await using s = await stage({ mode, listen: listen(heard) });
    const { ts = '' } = await s.app.client.chat.postMessage({
      channel,
      text: 'x',
      blocks: [{ type: 'actions', block_id: 'row', elements: [soak, more] }],
    });
    const me = s.slack.drive.as('U0OPERATOR');
    expect(await me.click(channel, ts, 'soak', { value: '9m' })).toMatchObject({ delivered: false, error: 'option_not_offered' });
    expect(await me.click(channel, ts, 'soak', { value: '5m' })).toMatchObject({ ok: true });
    expect(await me.click(channel, ts, 'more', { value: '2m' })).toMatchObject({ ok: true });
    await s.slack.drive.waitFor(() => heard.length === 2);
    const chosen = { selected_option: { value: '5m' } };
    expect(heard[0]).toMatchObject({ kind: 'soak', detail: [chosen, { row: { soak: chosen } }] });
    expect(heard[1]).toMatchObject({
      kind: 'more',
      detail: [{ selected_option: { value: '2m' } }, { row: { soak: { selected_option: null } } }],
    });
  });

  test('a modal asks for suggestions, is changed while open, and tells when it is closed', async () => {
    const heard: Heard[] = [];
    await using s = await stage({ mode, listen: listen(heard) });
    const me = s.slack.drive.as('U0OPERATOR');
    const open = async () => {
      await me.command(channel, '/mesh');
      return s.slack.drive.waitFor(() => me.views()[0]);
    };
    const first = await open();
    const offered = await me.suggest({ viewId: first.id }, { ...services, block_id: 'service' }, 'back');
    expect(offered.ack).toMatchObject({ options: [{ value: 'backend' }] });
    expect(await me.submitModal(first.id, { service: { text: plain('backend'), value: 'backend' } })).toMatchObject({ ok: true });
    expect(heard[0]).toMatchObject({ kind: 'submitted', detail: { selected_option: { value: 'backend' } } });
    const second = await open();
    await me.clickInView(second.id, 'fill');
    await s.slack.drive.waitFor(() => me.views()[0]?.hash !== second.hash);
    expect(me.views()[0]?.view['blocks']).toMatchObject([{ block_id: 'note' }]);
    expect(await me.submitModal(first.id, {})).toMatchObject({ delivered: false, error: 'view_not_open' });
    await me.closeModal();
    await open();
    await me.closeModal();
    expect(heard.map((one) => one.kind)).toEqual(['submitted', 'closed']);
  });
});
