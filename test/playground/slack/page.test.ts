import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Panel, PanelState } from '../../../playground/slack/panel.ts';
import { startSlack } from '../../../playground/slack/slack.ts';
import { stage } from './bolt-app.ts';
import { alone } from './slack-alone.ts';

const channel = 'C0MESH';

/** A raw request, since fetch does not let one set Host. */
function raw(url: string, path: string, headers: Record<string, string>, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function act(url: string, wanted: object): Promise<Record<string, unknown>> {
  const response = await fetch(new URL('/page/act', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ as: 'U0OPERATOR', ...wanted }),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** Reads the stream until an event that fits has come. */
async function event(
  url: string,
  as: string,
  fits: (name: string, data: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  const response = await fetch(new URL(`/page/stream?as=${as}`, url));
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [, name = '', data = '{}'] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
      const parsed = JSON.parse(data) as Record<string, unknown>;
      if (!fits(name, parsed)) continue;
      return parsed;
    }
  }
  throw new Error('the stream ended');
}

describe('the page', () => {
  test('serves itself and nothing else', async () => {
    await using s = await alone();
    const page = await fetch(s.slack.url);
    expect(await page.text()).toContain('<script type="module" src="app.js">');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await raw(s.slack.url, '/app.js', {})).toBe(200);
    expect(await raw(s.slack.url, '/..%2Fslack.ts', {})).toBe(404);
    expect(await raw(s.slack.url, '/../slack.ts', {})).toBe(404);
  });

  test.each([
    ['another host name (DNS rebinding)', { host: 'evil.example.com' }],
    ['another origin', { origin: 'https://evil.example.com' }],
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
    ['a form without JSON', { 'content-type': 'text/plain' }],
  ])('acts for nobody who comes with %s', async (_who, headers) => {
    await using s = await alone();
    const body = JSON.stringify({ do: 'say', as: 'U0OPERATOR', channel, text: 'forged' });
    expect(await raw(s.slack.url, '/page/act', { 'content-type': 'application/json', ...headers }, body)).toBeGreaterThanOrEqual(400);
    expect(s.slack.drive.messages(channel)).toEqual([]);
  });

  test('shows each person what they may see', async () => {
    await using s = await alone();
    await s.call('chat.postMessage', { channel, text: 'for all' });
    await s.call('chat.postEphemeral', { channel, user: 'U0REVIEWER', text: 'for one' });
    const seen = async (as: string) => {
      const data = await event(s.slack.url, as, (name) => name === 'snapshot');
      return (data['messages'] as { text: string }[]).map((message) => message.text);
    };
    expect(await seen('U0REVIEWER')).toEqual(['for all', 'for one']);
    expect(await seen('U0OPERATOR')).toEqual(['for all']);
  });

  test('a command and a click go to the app, a stale click does not', async () => {
    await using s = await stage({
      listen: (app) => {
        app.command('/mesh', async ({ ack, respond }) => {
          await ack();
          const elements = [{ type: 'button' as const, action_id: 'go', text: { type: 'plain_text' as const, text: 'Go' }, value: '1' }];
          await respond({ response_type: 'in_channel', text: 'x', blocks: [{ type: 'actions', block_id: 'b', elements }] });
        });
        app.action('go', async ({ ack, respond }) => {
          await ack();
          await respond({ replace_original: true, text: 'gone' });
        });
      },
    });
    expect(await act(s.slack.url, { do: 'command', channel, text: '/mesh x' })).toMatchObject({ ok: true });
    const message = await s.slack.drive.waitFor((d) => d.messages(channel)[0]);
    const element = { block_id: 'b', action_id: 'go', value: '1' };
    expect(await act(s.slack.url, { do: 'click', channel, ts: message.ts, element: { ...element, value: '2' } })).toMatchObject({
      delivered: false,
    });
    expect(await act(s.slack.url, { do: 'click', channel, ts: message.ts, element })).toMatchObject({ ok: true });
    await s.slack.drive.waitFor((d) => d.messages(channel)[0]?.text === 'gone');
    expect(await act(s.slack.url, { do: 'click', channel, ts: message.ts, element })).toMatchObject({ error: 'not_on_message' });
    expect(await act(s.slack.url, { do: 'nonsense' })).toHaveProperty('error');
  });

  test('a panel action runs and its new state comes down the stream', async () => {
    const listeners = new Set<(state: PanelState) => void>();
    let broken = false;
    const state = (): PanelState => ({ toggles: { broken }, weights: [], rates: [], health: [] });
    const panel: Panel = {
      actions: [{ id: 'broken', label: 'Break the canary', group: 'Canary', kind: 'toggle' }],
      run: async (_id, value) => {
        broken = value === true;
        for (const listener of listeners) listener(state());
        return state();
      },
      state,
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    await using s = await stage({ panel });
    let acted: Promise<Record<string, unknown>> | undefined;
    const news = await event(s.slack.url, 'U0OPERATOR', (name, data) => {
      if (name !== 'snapshot') return name === 'panel';
      expect(data).toMatchObject({ panel: { state: { toggles: { broken: false } } } });
      acted = act(s.slack.url, { do: 'panel', id: 'broken', value: true });
      return false;
    });
    expect(news).toMatchObject({ toggles: { broken: true } });
    expect(await acted).toMatchObject({ state: { toggles: { broken: true } } });
  });
});

test('a page port that is taken is told at once, and nothing stays open', async () => {
  await using s = await alone();
  const port = Number(new URL(s.slack.url).port);
  const app = { signingSecret: 'x', botToken: 'x', slashCommands: [] };
  const signal = new AbortController().signal;
  const open = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
  await expect(startSlack({ port, signal, app })).rejects.toThrow('EADDRINUSE');
  // The stand-in app, the API and the page of the first playground; nothing of the second.
  await expect.poll(open, { timeout: 5_000 }).toBe(3);
});
