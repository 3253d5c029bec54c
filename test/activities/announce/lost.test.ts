import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAnnouncer } from '../../../activities/announce/announce.ts';
import { findElement } from '../../../playground/slack/block-kit/elements.ts';
import { type SlackPlayground, startSlack } from '../../../playground/slack/slack.ts';
import { createSlackMessages } from '../../../src/clients/slack.ts';
import { view as viewAt } from '../../messages/views.ts';

const CHANNEL = 'C0MESH';
let slack: SlackPlayground;
let stop: AbortController;

beforeEach(async () => {
  stop = new AbortController();
  const scopes = ['chat:write', 'channels:history', 'files:write'];
  slack = await startSlack({ signal: stop.signal, app: { signingSecret: 'signing', botToken: 'xoxb-test', slashCommands: [], scopes } });
});
afterEach(async () => {
  stop.abort();
  await slack.stop();
});

it('a change that nobody watches is shown, and said once with a button, whichever worker says it', async () => {
  const messages = createSlackMessages({ token: 'xoxb-test', apiUrl: slack.apiUrl });
  const announcer = () => createAnnouncer({ slack: messages, now: Date.now, attempt: () => 2, onCall: () => 'S0ONCALL' });
  const view = viewAt('watching', { startedAt: Date.now(), lost: { how: 'terminated' } });
  const { message: _, ...unposted } = view;
  const thread = await announcer().announce({ view: unposted, channelId: CHANNEL });
  const note = { kind: 'lost', how: 'terminated', wroteAt: Date.now(), label: '10%', before: 'backend 100%' } as const;
  for (const _worker of [1, 2]) await announcer().say({ view: { ...view, message: thread }, thread, note, key: 'canary-k3f2/lost/0' });
  const [root, ...replies] = slack.drive.thread(CHANNEL, thread.ts);
  expect(root?.text).toContain('not being watched');
  expect(findElement(root?.blocks ?? [], 'meshops:abort')).toBeDefined();
  expect(replies).toHaveLength(1);
  expect(replies[0]?.text).toContain('<!subteam^S0ONCALL> *Nobody watches a change on backend.*');
  expect(findElement(replies[0]?.blocks ?? [], 'meshops:abort')).toBeDefined();
  expect(slack.log.refusals()).toEqual([]);
});
